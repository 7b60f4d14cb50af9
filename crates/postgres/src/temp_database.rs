//! A temporary database on an existing server: the database that was configured stays untouched.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Connection};
use uuid::Uuid;

use super::encoding::CREATE_OPTIONS;
use super::hosts::DatabaseHosts;
use super::server_error::readable;

/// It is removed by [`TempDatabase::remove`] and not by `Drop`, which cannot wait.
#[derive(Debug)]
pub struct TempDatabase {
    server: DatabaseHosts,
    name: String,
}

impl TempDatabase {
    /// Creates a UTF-8 database with a unique name, over a connection to the configured one.
    pub async fn create(server: &DatabaseHosts) -> Result<Self, sqlx::Error> {
        let database = Self {
            server: server.clone(),
            name: format!("avinode_ingest_{}", Uuid::now_v7().simple()),
        };
        let create = format!("CREATE DATABASE {} {CREATE_OPTIONS}", database.name);
        database.execute(create).await?;
        Ok(database)
    }

    pub fn hosts(&self) -> DatabaseHosts {
        self.server.of_database(&self.name)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Drops the database, and ends connections that are still open.
    pub async fn remove(self) -> Result<(), sqlx::Error> {
        self.execute(format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name))
            .await
    }

    /// The statements are safe: the name has letters, digits and underscores only.
    async fn execute(&self, statement: String) -> Result<(), sqlx::Error> {
        let mut connection = self.server.connect(Duration::from_secs(10)).await?;
        let executed = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await;
        executed.map_err(readable)?;
        connection.close().await
    }
}
