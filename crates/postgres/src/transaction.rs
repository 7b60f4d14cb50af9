//! Transactions, the only way to send statements (but for [`super::autocommit`]). Behind a transaction pooler, the statements
//! have no names.
//!
//! sqlx names every statement of its checked macros, whatever the size of its cache. A name belongs to one server connection,
//! and a transaction pooler may use another one for the next transaction. These types remove the name, and allow no statement
//! outside of a transaction: an unnamed one is sent in two messages, which a pooler could send to different servers.
//!
//! An unnamed statement must not need types that are not built into Postgres: sqlx looks them up in between, and Postgres forgets
//! the unnamed statement. Casts to text avoid that.

use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{TryFutureExt, TryStreamExt};
use sqlx::error::BoxDynError;
use sqlx::postgres::{
    PgArguments, PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions, PgQueryResult, PgRow, PgStatement,
    PgTypeInfo, Postgres,
};
use sqlx::query::{Map, Query};
use sqlx::{AssertSqlSafe, Connection as _, Either, Error, Execute, Executor, SqlStr};

use super::autocommit::AutocommitPool;
use super::server_error::readable;
use super::session_defaults::{self, BEGIN};

#[derive(Debug, Clone)]
pub struct Pool {
    connections: PgPool,
    named: bool,
}

impl Pool {
    /// Creates connections when they are needed, directly to the server.
    pub(super) fn direct(options: PgPoolOptions, connect: PgConnectOptions) -> Self {
        Self::from(session_defaults::override_at_connect(options).connect_lazy_with(connect))
    }

    /// Sets whether the connections lead to a transaction pooler. Call it before the first use: where they do, the pool is created
    /// anew without the settings of a session, which the pooler would pass on to other clients.
    #[must_use]
    pub fn behind_pooler(self, pooler: bool) -> Self {
        let connections = match pooler {
            true => {
                let options = session_defaults::keep_at_connect(self.connections.options().clone());
                options.connect_lazy_with(self.connections.connect_options().as_ref().clone())
            }
            false => self.connections,
        };
        Self {
            connections,
            named: !pooler,
        }
    }

    /// Begins a transaction at READ COMMITTED.
    pub async fn begin(&self) -> Result<Transaction<'static>, Error> {
        self.begin_with("").await
    }

    /// Begins a transaction at READ COMMITTED with settings for its length: SET TRANSACTION and SET LOCAL, each followed by a
    /// semicolon. They are sent in one message with BEGIN.
    ///
    /// Runs in a task of its own: if a caller were dropped while `BEGIN` is on its way, sqlx would return the connection to the
    /// pool with an open transaction, which would include the next statements. The task always finishes, and the transaction is
    /// rolled back when the caller is gone.
    pub async fn begin_with(&self, settings: &'static str) -> Result<Transaction<'static>, Error> {
        let (connections, named) = (self.connections.clone(), self.named);
        tokio::spawn(async move {
            let begin = AssertSqlSafe(format!("{BEGIN}{settings}"));
            let inner = connections.begin_with(begin).await.map_err(readable)?;
            Ok(Transaction { inner, named })
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
        match self.named {
            true => statement.fetch_all(&self.connections).await.map_err(readable),
            false => self.fetch_all(statement).await,
        }
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
        self.sibling_with_timeout(max, self.connections.options().get_acquire_timeout())
    }

    /// Creates a sibling whose statements find all rows by key: their plans never read a whole table. Behind a transaction pooler
    /// it is an ordinary sibling, whose statements are planned each time.
    pub fn sibling_by_index(&self, max: u32) -> Self {
        let sibling = self.sibling(max);
        if !self.named {
            return sibling;
        }
        let options = session_defaults::plan_by_index_at_connect(sibling.connections.options().clone());
        Self {
            connections: options.connect_lazy_with(self.connections.connect_options().as_ref().clone()),
            named: true,
        }
    }

    /// Creates a sibling that waits this long for a connection.
    pub fn sibling_with_timeout(&self, max: u32, acquire_timeout: Duration) -> Self {
        let options = self.connections.options().clone();
        let options = options.max_connections(max).acquire_timeout(acquire_timeout);
        Self {
            connections: options.connect_lazy_with(self.connections.connect_options().as_ref().clone()),
            named: self.named,
        }
    }

    /// Creates a pool of `max` more connections for statements that are transactions of their own.
    pub fn autocommit(&self, max: u32) -> AutocommitPool {
        let sibling = self.sibling(max);
        AutocommitPool::new(sibling.connections, sibling.named)
    }

    /// Checks that the database answers, or answered less than a second ago.
    pub async fn ping(&self) -> Result<(), Error> {
        self.connections.acquire().await.map(drop).map_err(readable)
    }

    /// Listens on a channel, on a connection of its own. Does not work behind a transaction pooler.
    pub async fn listen(&self, channel: &str) -> Result<ChannelListener, Error> {
        let mut inner = PgListener::connect_with(&self.connections).await.map_err(readable)?;
        inner.listen(channel).await.map_err(readable)?;
        Ok(ChannelListener(inner))
    }

    /// Closes the connections as they become idle, and waits for it.
    pub async fn close(&self) {
        self.connections.close().await;
    }

    /// The connections without protection, to examine sessions themselves.
    pub(super) fn inner(&self) -> &PgPool {
        &self.connections
    }
}

impl From<PgPool> for Pool {
    /// Assumes that no transaction pooler is in between.
    fn from(connections: PgPool) -> Self {
        Self {
            connections,
            named: true,
        }
    }
}

/// A connection that listens.
#[derive(Debug)]
pub struct ChannelListener(PgListener);

impl ChannelListener {
    /// Waits for the next notification.
    pub async fn recv(&mut self) -> Result<(), Error> {
        self.0.recv().await.map(drop).map_err(readable)
    }
}

/// A transaction, or a savepoint in one. Rolled back when it is dropped.
#[derive(Debug)]
pub struct Transaction<'c> {
    inner: sqlx::Transaction<'c, Postgres>,
    named: bool,
}

impl Transaction<'_> {
    /// Commits the transaction, or releases the savepoint.
    pub async fn commit(self) -> Result<(), Error> {
        self.inner.commit().await.map_err(readable)
    }

    /// Rolls back the transaction, or to the savepoint.
    pub async fn rollback(self) -> Result<(), Error> {
        self.inner.rollback().await.map_err(readable)
    }

    /// The connection without protection: its statements must have no name.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.inner
    }

    pub async fn savepoint(&mut self) -> Result<Transaction<'_>, Error> {
        let inner = self.inner.begin().await.map_err(readable)?;
        Ok(Transaction {
            inner,
            named: self.named,
        })
    }
}

impl<'c> Executor<'c> for &'c mut Transaction<'_> {
    type Database = Postgres;

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, Result<Either<PgQueryResult, PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let named = self.named;
        let connection: &'c mut PgConnection = &mut self.inner;
        Box::pin(connection.fetch_many(Statement { query, named }).map_err(readable))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let named = self.named;
        let connection: &'c mut PgConnection = &mut self.inner;
        Box::pin(connection.fetch_optional(Statement { query, named }).map_err(readable))
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
