//! Statements that are transactions of their own: one round trip to the server instead of three with BEGIN and COMMIT.
//!
//! They run on connections of their own. On any other connection, a transaction that was left open would include the
//! statement, and roll its writes back.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgArguments, PgPool, PgQueryResult, Postgres};
use sqlx::query::Query;
use sqlx::{Connection as _, Error, Executor as _};

use super::server_error::readable;
use super::session_defaults::BEGIN;

/// Connections that execute such statements only.
#[derive(Debug)]
pub struct AutocommitPool {
    connections: PgPool,
    named: bool,
}

impl AutocommitPool {
    pub(super) fn new(connections: PgPool, named: bool) -> Self {
        Self { connections, named }
    }

    pub async fn acquire(&self) -> Result<AutocommitConnection, Error> {
        Ok(AutocommitConnection {
            inner: Some(self.connections.acquire().await.map_err(readable)?),
            named: self.named,
        })
    }
}

/// A connection for one statement. If the statement does not end, the connection is closed instead of returned to the pool:
/// the next user must not wait for it.
#[derive(Debug)]
pub struct AutocommitConnection {
    inner: Option<PoolConnection<Postgres>>,
    named: bool,
}

impl AutocommitConnection {
    /// Executes a statement and commits it. Behind a transaction pooler it runs inside BEGIN and COMMIT, because an unnamed
    /// statement is sent in two messages, which the pooler could send to different servers.
    pub async fn execute(mut self, statement: Query<'_, Postgres, PgArguments>) -> Result<PgQueryResult, Error> {
        let Some(connection) = self.inner.as_mut() else {
            return Err(Error::PoolClosed);
        };
        let done = if self.named {
            connection.execute(statement).await
        } else {
            async {
                let mut tx = connection.begin_with(BEGIN).await?;
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
