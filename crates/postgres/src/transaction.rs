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

use sqlx::Error;
use sqlx::postgres::{PgArguments, PgPool, PgRow, Postgres};
use sqlx::query::{Map, Query};

use super::autocommit::AutocommitPool;
use super::channel_listener::ChannelListener;
use super::connection_settings::{AcquireHook, ConnectionSettings};
use super::connections::{Connection, Connections};
use super::hosts::DatabaseHosts;
use super::limits::{LONG_STATEMENT, SERVICE_STATEMENT, answer_limit};
pub use super::open_transaction::Transaction;
use super::open_transaction::answered;
use super::session_defaults::SessionSetup;

#[derive(Debug, Clone)]
pub struct Pool {
    connections: Connections,
    named: bool,
    statement_limit: Duration,
}

impl Pool {
    /// Creates connections when they are needed, directly to the server.
    pub(super) fn direct(hosts: DatabaseHosts, max: u32, acquire_timeout: Duration) -> Self {
        Self {
            connections: Connections::new(ConnectionSettings {
                hosts,
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
    /// For tests, which make the caller panic by it.
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
        let watch = connection.watch();
        let answer = statement.fetch_all(connection.raw());
        let rows = answered(answer_limit(SERVICE_STATEMENT), watch.as_ref(), answer).await;
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

    /// Returns a number that grows when connections leave a host for another one.
    pub fn moves(&self) -> u64 {
        self.connections.settings().hosts.known().moves()
    }

    /// Checks that the database answers, or answered less than a second ago.
    pub async fn ping(&self) -> Result<(), Error> {
        self.connections.acquire().await.map(drop)
    }

    /// Listens on a channel, on a connection of its own. Does not work behind a transaction pooler.
    pub async fn listen(&self, channel: &str) -> Result<ChannelListener, Error> {
        let settings = self.connections.settings();
        ChannelListener::connect(&settings.hosts, channel, settings.acquire_timeout).await
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
        let hosts = DatabaseHosts::from(&*other.connect_options());
        Self::direct(hosts, options.get_max_connections(), options.get_acquire_timeout())
    }
}
