//! A database of our own on somebody's server: made, used and dropped, so that the database that was named stays untouched.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};
use uuid::Uuid;

use super::server_error::readable;

/// A scratch database. It is dropped by [`TempDatabase::remove`], not by `Drop`, which cannot wait.
#[derive(Debug)]
pub struct TempDatabase {
    server: PgConnectOptions,
    name: String,
}

impl TempDatabase {
    /// Makes a database with a name of its own, by way of a connection to the named one.
    pub async fn make(server: &PgConnectOptions) -> Result<Self, sqlx::Error> {
        let name = format!("avinode_ingest_{}", Uuid::now_v7().simple());
        let scratch = Self {
            server: server.clone(),
            name,
        };
        scratch.on_server(&format!("CREATE DATABASE {}", scratch.name)).await?;
        Ok(scratch)
    }

    /// How to reach it.
    pub fn options(&self) -> PgConnectOptions {
        self.server.clone().database(&self.name)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Drops it, also under connections that linger.
    pub async fn remove(self) -> Result<(), sqlx::Error> {
        self.on_server(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name))
            .await
    }

    /// The name is ours: letters, digits and underscores.
    async fn on_server(&self, statement: &str) -> Result<(), sqlx::Error> {
        let connected = tokio::time::timeout(Duration::from_secs(10), self.server.connect()).await;
        let mut connection: PgConnection = connected.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(readable)?;
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut connection)
            .await
            .map_err(readable)?;
        connection.close().await
    }
}
