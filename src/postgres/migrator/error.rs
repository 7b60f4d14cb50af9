//! Why a schema could not be brought up to date: each way says what to do about it.

use super::BOOKKEEPING;
use crate::postgres::server_error::{readable, readable_migration};

/// Why the schema could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// No connection.
    #[error("could not connect to the database to migrate it: {0}")]
    Connect(#[source] sqlx::Error),
    /// Somebody else is migrating, and takes long.
    #[error("another process has been migrating this database for a minute: try again when it is done")]
    OtherMigration,
    /// The bookkeeping's schema or table cannot be made or read.
    #[error("could not prepare the bookkeeping of migrations ({BOOKKEEPING}): {0}")]
    Bookkeeping(#[source] sqlx::migrate::MigrateError),
    /// The database has a migration that this program lacks.
    #[error("the database has migration {0}, which this program does not know: it is older than the schema")]
    Ahead(i64),
    /// The migrations before the first release were replaced: docs/adr/0001.
    #[error(
        "the database was migrated by a version before the first release and cannot be upgraded: create the database \
         again (for the private Postgres: remove the folder of INGEST_DATA_DIR), or, if it is an application's database, \
         drop the tables that avinode-ingest created in public, then the schema avinode_ingest; stored deliveries are lost"
    )]
    PreRelease,
    /// Applied migrations are history: a change is a new migration.
    #[error("migration {version} ({description}) is applied, but its file has changed since: restore the file")]
    Changed {
        /// Its number.
        version: i64,
        /// Its name.
        description: String,
    },
    /// A migration failed; those before it are applied.
    #[error("could not apply migration {version} ({description}): {source}")]
    Apply {
        /// Its number.
        version: i64,
        /// Its name.
        description: String,
        /// The server's answer.
        source: sqlx::migrate::MigrateError,
    },
    /// An index that an interrupted run left invalid cannot be mended.
    #[error("could not mend the index {index}, which an interrupted migration left invalid: {source}")]
    Index {
        /// Its name.
        index: String,
        /// The server's answer.
        source: sqlx::Error,
    },
    /// A migration waited for a table that the application holds; those before it are applied.
    #[error(
        "migration {version} ({description}) tried for half a minute to lock a table that another session holds, and \
         gave way each time: try again, if need be while the application is quiet"
    )]
    Busy {
        /// Its number.
        version: i64,
        /// Its name.
        description: String,
    },
}

impl MigrateError {
    /// Gives the server's errors their readable text.
    pub(super) fn readable(self) -> Self {
        match self {
            Self::Connect(error) => Self::Connect(readable(error)),
            Self::Bookkeeping(error) => Self::Bookkeeping(readable_migration(error)),
            Self::Apply {
                version,
                description,
                source,
            } => Self::Apply {
                version,
                description,
                source: readable_migration(source),
            },
            Self::Index { index, source } => Self::Index {
                index,
                source: readable(source),
            },
            other => other,
        }
    }
}
