//! The way in which statements reach the database (but for [`super::autocommit`]): inside an explicit transaction, and unnamed where
//! a transaction pooler is in between.
//!
//! sqlx names every statement of its checked macros, whatever the size of its cache. A name belongs to a server connection,
//! and such a pooler lends another one for the next transaction. The types here take the name away, and leave no way to send
//! a statement outside of a transaction: an unnamed one is sent in two messages, which a pooler may part otherwise.
//!
//! Such a statement must not need types that are not Postgres's own: sqlx looks them up in between, and Postgres forgets
//! the unnamed statement. Casts to text avoid that.

use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use sqlx::error::BoxDynError;
use sqlx::postgres::{
    PgArguments, PgConnection, PgListener, PgPool, PgQueryResult, PgRow, PgStatement, PgTypeInfo, Postgres,
};
use sqlx::query::{Map, Query};
use sqlx::{Connection as _, Either, Error, Execute, Executor, SqlStr};

use super::autocommit::AutocommitPool;

/// Connections to the database, and whether statements may have names there.
#[derive(Debug, Clone)]
pub struct Pool {
    connections: PgPool,
    named: bool,
}

impl Pool {
    /// Connections that lead to a transaction pooler, or not.
    #[must_use]
    pub fn behind_pooler(self, pooler: bool) -> Self {
        Self { named: !pooler, ..self }
    }

    /// Begins a transaction.
    pub async fn begin(&self) -> Result<Transaction<'static>, Error> {
        self.begin_with("BEGIN").await
    }

    /// Begins a transaction with words of its own: `BEGIN` and settings that hold for its length.
    ///
    /// In a task of its own: dropped while the words are on their way, sqlx would give the connection back with a transaction
    /// open that nobody ends, and the next statements would be part of it. So it is begun in any case, and rolled back when
    /// nobody waits for it any more.
    pub async fn begin_with(&self, words: &'static str) -> Result<Transaction<'static>, Error> {
        let (connections, named) = (self.connections.clone(), self.named);
        tokio::spawn(async move {
            let inner = connections.begin_with(words).await?;
            Ok(Transaction { inner, named })
        })
        .await
        .map_err(|ended| Error::Protocol(format!("a transaction was not begun: {ended}")))?
    }

    /// Fetches what a statement returns that is its own transaction: one message and one answer, where BEGIN and COMMIT would be
    /// two more of each. For what may be lost with a transaction that somebody left open; behind a transaction pooler it needs
    /// one around it, because an unnamed statement is sent in two messages.
    pub async fn fetch_autocommit<F, O>(&self, statement: Map<'_, Postgres, F, PgArguments>) -> Result<Vec<O>, Error>
    where
        F: FnMut(PgRow) -> Result<O, Error> + Send,
        O: Send + Unpin,
    {
        if self.named {
            return statement.fetch_all(&self.connections).await;
        }
        let mut tx = self.begin().await?;
        let rows = statement.fetch_all(&mut tx).await?;
        tx.commit().await?;
        Ok(rows)
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

    /// Another pool to the same database, of `max` connections of its own.
    pub fn sibling(&self, max: u32) -> Self {
        self.beside_with_patience(max, self.connections.options().get_acquire_timeout())
    }

    /// The same, whose callers wait for a connection for so long at most.
    pub fn beside_with_patience(&self, max: u32, patience: Duration) -> Self {
        let options = self.connections.options().clone();
        let options = options.max_connections(max).acquire_timeout(patience);
        Self {
            connections: options.connect_lazy_with(self.connections.connect_options().as_ref().clone()),
            named: self.named,
        }
    }

    /// `max` connections of their own to the same database, for statements that are their own transaction.
    pub fn lone(&self, max: u32) -> AutocommitPool {
        let own = self.sibling(max);
        AutocommitPool::new(own.connections, own.named)
    }

    /// Whether the database can be reached: a connection that answered less than a second ago, or answers now.
    pub async fn reach(&self) -> Result<(), Error> {
        self.connections.acquire().await.map(drop)
    }

    /// A connection that listens. There is none behind a transaction pooler.
    pub async fn listener(&self) -> Result<PgListener, Error> {
        PgListener::connect_with(&self.connections).await
    }

    /// Closes the connections, once what is under way has ended.
    pub async fn close(&self) {
        self.connections.close().await;
    }

    /// The bare connections, for what is about sessions themselves.
    pub(super) fn inner(&self) -> &PgPool {
        &self.connections
    }
}

impl From<PgPool> for Pool {
    /// Connections that lead to Postgres itself.
    fn from(connections: PgPool) -> Self {
        Self {
            connections,
            named: true,
        }
    }
}

/// A transaction, or a savepoint in one. Rolled back when it is dropped.
#[derive(Debug)]
pub struct Transaction<'c> {
    inner: sqlx::Transaction<'c, Postgres>,
    named: bool,
}

impl Transaction<'_> {
    /// Commits it, or releases the savepoint.
    pub async fn commit(self) -> Result<(), Error> {
        self.inner.commit().await
    }

    /// Undoes it, or what was done since the savepoint.
    pub async fn rollback(self) -> Result<(), Error> {
        self.inner.rollback().await
    }

    /// Sets a savepoint.
    pub async fn savepoint(&mut self) -> Result<Transaction<'_>, Error> {
        let inner = self.inner.begin().await?;
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
        connection.fetch_many(Statement { query, named })
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, Result<Option<PgRow>, Error>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let named = self.named;
        let connection: &'c mut PgConnection = &mut self.inner;
        connection.fetch_optional(Statement { query, named })
    }

    /// Refused: what is prepared by itself has a name.
    fn prepare_with<'e>(self, _: SqlStr, _: &'e [PgTypeInfo]) -> BoxFuture<'e, Result<PgStatement, Error>>
    where
        'c: 'e,
    {
        Box::pin(async { Err(refused()) })
    }

    /// Refused likewise; it serves the macros at compile time.
    #[doc(hidden)]
    fn describe<'e>(self, _: SqlStr) -> BoxFuture<'e, Result<sqlx::Describe<Postgres>, Error>>
    where
        'c: 'e,
    {
        Box::pin(async { Err(refused()) })
    }
}

fn refused() -> Error {
    Error::Protocol("statements are not prepared by themselves here".to_owned())
}

/// A query that may have a name on the server, or not.
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
