//! Transactions, the only way to send statements (but for [`super::autocommit`]). Behind a transaction pooler, the statements
//! have no names.
//!
//! sqlx names every statement of its checked macros, whatever the size of its cache. A name belongs to one server connection,
//! and a transaction pooler may use another one for the next transaction. These types remove the name, and allow no statement
//! outside of a transaction: an unnamed one is sent in two messages, which a pooler could send to different servers.
//!
//! An unnamed statement must not need types that are not built into Postgres: sqlx looks them up in between, and Postgres forgets
//! the unnamed statement. Casts to text avoid that.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt, stream};
use sqlx::error::BoxDynError;
use sqlx::postgres::{
    PgArguments, PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions, PgQueryResult, PgRow, PgStatement,
    PgTypeInfo, Postgres,
};
use sqlx::query::{Map, Query};
use sqlx::{AssertSqlSafe, Either, Error, Execute, Executor, SqlSafeStr as _, SqlStr};
use sqlx_core::transaction::TransactionManager as _;
use tokio::time::{Instant, timeout_at};

use super::autocommit::AutocommitPool;
use super::connections::{AcquireHook, Connection, ConnectionSettings, Connections, Health, Manager};
use super::limits::{self, LONG_STATEMENT, SERVICE_STATEMENT, answer_limit, within};
use super::server_error::readable;
use super::session_defaults::{SessionSetup, begin};

#[derive(Debug, Clone)]
pub struct Pool {
    connections: Connections,
    named: bool,
    statement_limit: Duration,
}

impl Pool {
    /// Creates connections when they are needed, directly to the server.
    pub(super) fn direct(connect: PgConnectOptions, max: u32, acquire_timeout: Duration) -> Self {
        Self {
            connections: Connections::new(ConnectionSettings {
                connect,
                setup: SessionSetup::Direct,
                max,
                acquire_timeout,
                on_acquire: AcquireHook::default(),
            }),
            named: true,
            statement_limit: LONG_STATEMENT,
        }
    }

    /// Creates other connections to the same database.
    fn with(&self, change: impl FnOnce(&mut ConnectionSettings)) -> Self {
        let mut settings = self.connections.settings().clone();
        change(&mut settings);
        Self {
            connections: Connections::new(settings),
            ..*self
        }
    }

    /// Sets whether the connections lead to a transaction pooler. Call it before the first use: where they do, the pool is created
    /// anew without the settings of a session, which the pooler would pass on to other clients.
    #[must_use]
    pub fn behind_pooler(self, pooler: bool) -> Self {
        let named = !pooler;
        match pooler {
            true => Self {
                named,
                ..self.with(|settings| settings.setup = SessionSetup::Pooler)
            },
            false => Self { named, ..self },
        }
    }

    /// Returns the same connections with another time limit for each statement. The server ends a statement after this time, and one
    /// second later the connection is given up. [`LONG_STATEMENT`] is the default.
    #[must_use]
    pub fn statement_limit(&self, limit: Duration) -> Self {
        Self {
            connections: self.connections.clone(),
            statement_limit: limit,
            ..*self
        }
    }

    /// Creates other connections to the same database, and calls this function whenever one of them or of their siblings is acquired.
    #[must_use]
    pub fn on_acquire(&self, call: impl Fn() + Send + Sync + 'static) -> Self {
        self.with(|settings| settings.on_acquire = AcquireHook(Some(Arc::new(call))))
    }

    /// Begins a transaction at READ COMMITTED.
    pub async fn begin(&self) -> Result<Transaction<'static>, Error> {
        self.begin_with("").await
    }

    /// Begins a transaction at READ COMMITTED with settings for its length: SET TRANSACTION and SET LOCAL, each followed by a
    /// semicolon. They are sent in one message with BEGIN.
    ///
    /// Runs in a task of its own: if a caller were dropped while `BEGIN` is on its way, the driver would not know of the open
    /// transaction, which would include the next statements. The task always finishes, and the transaction is rolled back when the
    /// caller is gone.
    pub async fn begin_with(&self, settings: &'static str) -> Result<Transaction<'static>, Error> {
        let pool = self.clone();
        tokio::spawn(async move {
            let connection = pool.connections.acquire().await?;
            Transaction::on(connection, settings, pool.named, pool.statement_limit).await
        })
        .await
        .map_err(|panic| Error::Protocol(format!("a transaction was not begun: {panic}")))?
    }

    /// Executes a statement that is a transaction of its own, which saves the round trips of BEGIN and COMMIT, and fetches its rows.
    /// Its writes are lost if a transaction was left open on the connection. Behind a transaction pooler it runs inside BEGIN and
    /// COMMIT, because an unnamed statement is sent in two messages.
    pub async fn fetch_autocommit<F, O>(&self, statement: Map<'_, Postgres, F, PgArguments>) -> Result<Vec<O>, Error>
    where
        F: FnMut(PgRow) -> Result<O, Error> + Send,
        O: Send + Unpin,
    {
        if !self.named {
            return self.fetch_all(statement).await;
        }
        let mut connection = self.connections.acquire().await?;
        let rows = within(answer_limit(SERVICE_STATEMENT), statement.fetch_all(connection.raw())).await;
        connection.finish(rows)
    }

    /// Executes a statement in a transaction of its own, and returns how many rows it changed.
    pub async fn execute(&self, statement: Query<'_, Postgres, PgArguments>) -> Result<u64, Error> {
        let mut tx = self.begin().await?;
        let result = statement.execute(&mut tx).await?;
        tx.commit().await?;
        Ok(result.rows_affected())
    }

    /// Returns the rows of a statement in a transaction of its own.
    pub async fn fetch_all<F, O>(&self, statement: Map<'_, Postgres, F, PgArguments>) -> Result<Vec<O>, Error>
    where
        F: FnMut(PgRow) -> Result<O, Error> + Send,
        O: Send + Unpin,
    {
        let mut tx = self.begin().await?;
        let rows = statement.fetch_all(&mut tx).await?;
        tx.commit().await?;
        Ok(rows)
    }

    /// Returns the only row of a statement in a transaction of its own.
    pub async fn fetch_one<F, O>(&self, statement: Map<'_, Postgres, F, PgArguments>) -> Result<O, Error>
    where
        F: FnMut(PgRow) -> Result<O, Error> + Send,
        O: Send + Unpin,
    {
        self.fetch_all(statement).await?.pop().ok_or(Error::RowNotFound)
    }

    /// Creates a pool of `max` more connections to the same database.
    pub fn sibling(&self, max: u32) -> Self {
        self.with(|settings| settings.max = max)
    }

    /// Creates a sibling whose statements find all rows by key: their plans never read a whole table. Behind a transaction pooler
    /// it is an ordinary sibling, whose statements are planned each time.
    pub fn sibling_by_index(&self, max: u32) -> Self {
        if !self.named {
            return self.sibling(max);
        }
        self.with(|settings| {
            settings.max = max;
            settings.setup = SessionSetup::ByIndex;
        })
    }

    /// Creates a sibling that waits this long for a connection.
    pub fn sibling_with_timeout(&self, max: u32, acquire_timeout: Duration) -> Self {
        self.with(|settings| {
            settings.max = max;
            settings.acquire_timeout = acquire_timeout;
        })
    }

    /// Creates a pool of `max` more connections for statements that are transactions of their own, and that waits this long for one.
    pub fn autocommit(&self, max: u32, acquire_timeout: Duration) -> AutocommitPool {
        let sibling = self.with(|settings| {
            settings.max = max;
            settings.acquire_timeout = acquire_timeout;
            if self.named {
                settings.setup = SessionSetup::Receiving;
            }
        });
        AutocommitPool::new(sibling.connections, sibling.named)
    }

    /// Checks that the database answers, or answered less than a second ago.
    pub async fn ping(&self) -> Result<(), Error> {
        self.connections.acquire().await.map(drop)
    }

    /// Listens on a channel, on a connection of its own. Does not work behind a transaction pooler.
    pub async fn listen(&self, channel: &str) -> Result<ChannelListener, Error> {
        let settings = self.connections.settings();
        let own = PgPoolOptions::new().max_connections(1);
        let own: PgPool = own
            .acquire_timeout(settings.acquire_timeout)
            .connect_lazy_with(settings.connect.clone());
        let listen = async {
            let mut inner = PgListener::connect_with(&own).await?;
            inner.listen(channel).await?;
            Ok(ChannelListener(inner))
        };
        within(settings.acquire_timeout, listen).await.map_err(readable)
    }

    /// Closes the connections as they become idle, and waits for it.
    pub async fn close(&self) {
        self.connections.close().await;
    }

    /// A connection without protection, to examine sessions themselves.
    pub(super) async fn connection(&self) -> Result<Connection, Error> {
        self.connections.acquire().await
    }
}

impl From<PgPool> for Pool {
    /// Creates as many connections to the same database. Assumes that no transaction pooler is in between.
    fn from(other: PgPool) -> Self {
        let options = other.options();
        let connect = other.connect_options().as_ref().clone();
        Self::direct(connect, options.get_max_connections(), options.get_acquire_timeout())
    }
}

/// A dead connection is noticed after this time; workers poll meanwhile.
const LISTEN_SILENCE: Duration = Duration::from_secs(10);

/// A connection that listens.
#[derive(Debug)]
pub struct ChannelListener(PgListener);

impl ChannelListener {
    /// Waits for the next notification. The connection must answer at times, so that a dead one is noticed.
    pub async fn recv(&mut self) -> Result<(), Error> {
        loop {
            if let Ok(notification) = tokio::time::timeout(LISTEN_SILENCE, self.0.recv()).await {
                return notification.map(drop).map_err(readable);
            }
            within(limits::PING, (&mut self.0).execute(""))
                .await
                .map_err(readable)?;
        }
    }
}

/// A transaction, or a savepoint in one. Rolled back when it is dropped.
#[derive(Debug)]
pub struct Transaction<'c> {
    on: TransactionConnection<'c>,
    health: Arc<Health>,
    open: bool,
    named: bool,
    /// For the answer to each statement.
    limit: Duration,
}

#[derive(Debug)]
enum TransactionConnection<'c> {
    Own(Connection),
    /// That of the transaction around the savepoint.
    Outer(&'c mut PgConnection),
}

impl TransactionConnection<'_> {
    fn raw(&mut self) -> &mut PgConnection {
        match self {
            Self::Own(connection) => connection.raw(),
            Self::Outer(connection) => connection,
        }
    }
}

impl Transaction<'static> {
    pub(super) async fn on(
        mut connection: Connection,
        settings: &'static str,
        named: bool,
        statement_limit: Duration,
    ) -> Result<Self, Error> {
        let health = connection.health.clone();
        let message = AssertSqlSafe(begin(statement_limit, settings)).into_sql_str();
        let begun = within(limits::BEGIN, Manager::begin(connection.raw(), Some(message))).await;
        begun.map_err(|error| {
            // A setting that was refused leaves a transaction open of which the driver does not know.
            health.lose();
            health.examine(error)
        })?;
        Ok(Self {
            on: TransactionConnection::Own(connection),
            health,
            open: true,
            named,
            limit: answer_limit(statement_limit),
        })
    }
}

impl Transaction<'_> {
    /// Commits the transaction, or releases the savepoint.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.open = false;
        let ended = within(self.limit, Manager::commit(self.on.raw())).await;
        self.ended(ended)
    }

    /// Rolls back the transaction, or to the savepoint.
    pub async fn rollback(mut self) -> Result<(), Error> {
        self.open = false;
        let ended = within(self.limit, Manager::rollback(self.on.raw())).await;
        self.ended(ended)
    }

    /// After an error it is unknown whether the transaction is still open: the connection is not used again.
    fn ended(&mut self, ended: Result<(), Error>) -> Result<(), Error> {
        match (&ended, &mut self.on) {
            (Ok(()), TransactionConnection::Own(connection)) => connection.ended(),
            (Ok(()), TransactionConnection::Outer(_)) => {}
            (Err(_), _) => self.health.lose(),
        }
        ended.map_err(|error| self.health.examine(error))
    }

    /// The connection without protection: its statements must have no name.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        self.on.raw()
    }

    pub async fn savepoint(&mut self) -> Result<Transaction<'_>, Error> {
        let (health, named, limit) = (self.health.clone(), self.named, self.limit);
        let outer = self.on.raw();
        let begun = within(limit, Manager::begin(outer, None)).await;
        begun.map_err(|error| health.examine(error))?;
        Ok(Transaction {
            on: TransactionConnection::Outer(outer),
            health,
            open: true,
            named,
            limit,
        })
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.open {
            Manager::start_rollback(self.on.raw());
        }
    }
}

impl<'c> Executor<'c> for &'c mut Transaction<'_> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (named, limit, health) = (self.named, self.limit, self.health.clone());
        let rows = self.on.raw().fetch_many(Statement { query, named });
        let limited = stream::try_unfold((rows, None), move |(mut rows, deadline)| async move {
            // Begins with the first poll.
            let deadline = deadline.unwrap_or_else(|| Instant::now() + limit);
            let next = timeout_at(deadline, rows.try_next()).await;
            let next = next.unwrap_or_else(|_| Err(limits::no_answer(limit)))?;
            Ok(next.map(|next| (next, (rows, Some(deadline)))))
        });
        limited.map_err(move |error| health.examine(error)).boxed()
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let (named, limit, health) = (self.named, self.limit, self.health.clone());
        let row = self.on.raw().fetch_optional(Statement { query, named });
        Box::pin(async move { within(limit, row).await.map_err(|error| health.examine(error)) })
    }

    /// Refused: a prepared statement has a name.
    fn prepare_with<'e>(self, _: SqlStr, _: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(async { Err(refused()) })
    }

    /// Refused as well; sqlx's macros use it at compile time only.
    #[doc(hidden)]
    fn describe<'e>(self, _: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async { Err(refused()) })
    }
}

fn refused() -> Error {
    Error::Protocol("statements cannot be prepared separately, because a prepared statement has a name".to_owned())
}

/// A query that has a name on the server only if `named`.
struct Statement<Q> {
    query: Q,
    named: bool,
}

impl<'q, Q: Execute<'q, Postgres>> Execute<'q, Postgres> for Statement<Q> {
    fn sql(self) -> SqlStr {
        self.query.sql()
    }

    fn statement(&self) -> Option<&PgStatement> {
        self.query.statement()
    }

    fn take_arguments(&mut self) -> Result<Option<PgArguments>, BoxDynError> {
        self.query.take_arguments()
    }

    fn persistent(&self) -> bool {
        self.named && self.query.persistent()
    }
}
