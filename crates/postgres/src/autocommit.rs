//! Statements that are transactions of their own: one round trip to the server instead of three with BEGIN and COMMIT.
//!
//! They run on connections of their own. On any other connection, a transaction that was left open would include the
//! statement, and roll its writes back.

use sqlx::Error;
use sqlx::postgres::{PgArguments, PgQueryResult, Postgres};
use sqlx::query::Query;

use super::connections::{Connection, Connections};
use super::limits::{SERVICE_STATEMENT, answer_limit};
use super::open_transaction::{Transaction, answered};

/// Connections that execute such statements only.
#[derive(Debug)]
pub struct AutocommitPool {
    connections: Connections,
    named: bool,
}

impl AutocommitPool {
    pub(super) fn new(connections: Connections, named: bool) -> Self {
        Self { connections, named }
    }

    pub async fn acquire(&self) -> Result<AutocommitConnection, Error> {
        Ok(AutocommitConnection {
            inner: self.connections.acquire().await?,
            named: self.named,
        })
    }
}

/// A connection for one statement.
#[derive(Debug)]
pub struct AutocommitConnection {
    inner: Connection,
    named: bool,
}

impl AutocommitConnection {
    /// Executes a statement and commits it, within [`SERVICE_STATEMENT`] and a second. Behind a transaction pooler it runs inside
    /// BEGIN and COMMIT, because an unnamed statement is sent in two messages, which the pooler could send to different servers.
    ///
    /// # Errors
    /// Without an answer, the statement may have been committed.
    pub async fn execute(self, statement: Query<'_, Postgres, PgArguments>) -> Result<PgQueryResult, Error> {
        let (mut connection, limit) = (self.inner, SERVICE_STATEMENT);
        if self.named {
            let watch = connection.watch();
            let answer = statement.execute(connection.raw());
            let done = answered(answer_limit(limit), watch.as_ref(), answer).await;
            return connection.finish(done);
        }
        let mut tx = Transaction::on(connection, "SET LOCAL lock_timeout = '4s'; ", false, limit).await?;
        let done = statement.persistent(false).execute(&mut tx).await?;
        tx.commit().await?;
        Ok(done)
    }
}
