//! Statements that are their own transaction: one message to the server and one answer, where BEGIN and COMMIT would be two
//! more of each.
//!
//! On connections where nothing else is ever begun. Elsewhere a transaction that somebody left open would take the statement
//! in, and what it wrote would go when that one is rolled back.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgPool, PgQueryResult, Postgres};
use sqlx::query::Query;
use sqlx::{Connection as _, Error, Executor as _};

use super::server_error::readable;

/// Connections for such statements only.
#[derive(Debug)]
pub struct AutocommitPool {
    connections: PgPool,
    named: bool,
}

impl AutocommitPool {
    pub(super) fn new(connections: PgPool, named: bool) -> Self {
        Self { connections, named }
    }

    /// A connection.
    pub async fn acquire(&self) -> Result<AutocommitConnection, Error> {
        Ok(AutocommitConnection {
            inner: Some(self.connections.acquire().await.map_err(readable)?),
            named: self.named,
        })
    }
}

/// A connection for one such statement. Unless that ends, it is closed and not given back: nobody is to wait for what it
/// is doing.
#[derive(Debug)]
pub struct AutocommitConnection {
    inner: Option<PoolConnection<Postgres>>,
    named: bool,
}

impl AutocommitConnection {
    /// Executes a statement and commits it. Behind a transaction pooler it needs a transaction around it, because an unnamed
    /// statement is sent in two messages.
    pub async fn execute(mut self, statement: Query<'_, Postgres, PgArguments>) -> Result<PgQueryResult, Error> {
        let Some(connection) = self.inner.as_mut() else {
            return Err(Error::PoolClosed);
        };
        let done = if self.named {
            connection.execute(statement).await
        } else {
            async {
                let mut tx = connection.begin().await?;
                let done = tx.execute(statement.persistent(false)).await?;
                tx.commit().await?;
                Ok(done)
            }
            .await
        };
        if done.is_ok() {
            drop(self.inner.take());
        }
        done.map_err(readable)
    }
}

impl Drop for AutocommitConnection {
    fn drop(&mut self) {
        if let Some(connection) = &mut self.inner {
            connection.close_on_drop();
        }
    }
}
