//! Errors of migrations; each names the remedy.

use super::compatibility::IncompatibleSchema;
use crate::encoding::UnsupportedEncoding;
use crate::server_error::readable_migration;

/// sqlx's table of applied migrations, as `sqlx.toml` names it (held by a test).
pub(super) const MIGRATIONS_TABLE: &str = "avinode_ingest.schema_migrations";

#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    #[error("could not connect to the database to migrate it: {0}")]
    Connect(#[source] sqlx::Error),
    #[error("{0}")]
    Encoding(#[from] UnsupportedEncoding),
    #[error("another process has been migrating this database for a minute: try again when it is done")]
    OtherMigration,
    #[error("could not prepare the table of applied migrations ({MIGRATIONS_TABLE}): {0}")]
    MigrationsTable(#[source] sqlx::migrate::MigrateError),
    #[error(transparent)]
    TooNew(#[from] IncompatibleSchema),
    #[error("could not read which programs may run on the schema: {0}")]
    Compatibility(#[source] sqlx::Error),
    /// The migrations before the first release were replaced: docs/adr/0001.
    #[error(
        "the database was migrated by a version before the first release and cannot be upgraded: create the database \
         again (for the private Postgres: remove the folder of INGEST_DATA_DIR), or, if it is an application's database, \
         drop the tables that avinode-ingest created in public, then the schema avinode_ingest; stored deliveries are lost"
    )]
    PreRelease,
    #[error("migration {version} ({description}) is applied, but its file has changed since: restore the file")]
    Changed { version: i64, description: String },
    /// The migrations before it are applied.
    #[error("could not apply migration {version} ({description}): {source}")]
    Apply {
        version: i64,
        description: String,
        source: sqlx::migrate::MigrateError,
    },
    #[error("could not repair the index {index}, which an interrupted migration left invalid: {source}")]
    Index { index: String, source: sqlx::Error },
    #[error("could not create the tables of the application again ({description}): {source}")]
    Recreate { description: String, source: sqlx::Error },
    /// The migrations before it are applied.
    #[error(
        "migration {version} ({description}) tried for half a minute to lock a table that another session has locked: \
         try again, if possible while the application is quiet"
    )]
    Busy { version: i64, description: String },
}

impl From<sqlx::migrate::MigrateError> for MigrateError {
    fn from(error: sqlx::migrate::MigrateError) -> Self {
        Self::MigrationsTable(readable_migration(error))
    }
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        sqlx::migrate::MigrateError::from(error).into()
    }
}
