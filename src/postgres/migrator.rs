//! Brings the schema up to date, and tells whether it is: `serve` refuses a schema older than itself.
//!
//! The queries are not the checked macros': they read the bookkeeping, which no migration makes.

use std::time::{Duration, Instant};

use sqlx::error::DatabaseError;
use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool};
use sqlx::{ConnectOptions, Connection};

/// The migrations of `migrations/`, built into the program. `sqlx.toml` puts their bookkeeping in our own schema.
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// The bookkeeping's table, as `sqlx.toml` names it (a test holds the two together).
const BOOKKEEPING: &str = "avinode_ingest.schema_migrations";

/// How long one statement of a migration waits for a lock: the application's queries queue behind a waiting migration.
const LOCK_TIMEOUT: &str = "SET lock_timeout = '5s'";
/// How long to wait for another process that is migrating; and no notice of each thing that exists already.
const OTHER_MIGRATION_TIMEOUT: &str = "SET lock_timeout = '60s'; SET client_min_messages = 'warning'";

/// A migration that was applied just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The number that its file's name begins with.
    pub version: i64,
    /// The rest of its file's name.
    pub description: String,
    /// How long it took.
    pub elapsed: Duration,
}

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
    /// A migration waited for a table that the application holds; those before it are applied.
    #[error(
        "migration {version} ({description}) waited 5 s for a lock that another session holds and gave way: try again, \
         if need be while the application is quiet"
    )]
    Busy {
        /// Its number.
        version: i64,
        /// Its name.
        description: String,
    },
}

/// How the schema stands to this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaStatus {
    /// Never migrated.
    Fresh,
    /// Migrations are missing: run `migrate`.
    Behind {
        /// The highest applied.
        applied: i64,
        /// The highest that this program has.
        expected: i64,
    },
    /// All of ours, and no other.
    Current {
        /// The highest.
        version: i64,
    },
    /// All of ours, and newer ones: a newer program has migrated. Expand-then-contract lets us run on.
    Ahead {
        /// The highest applied.
        applied: i64,
        /// The highest that this program has.
        expected: i64,
    },
    /// A migration was cut short, or its file has changed since it was applied.
    Dirty {
        /// Which.
        version: i64,
    },
}

/// Applies what is missing, in order, on a direct connection of its own (a transaction pooler would not keep its
/// settings and its lock), and tells what it applied. Processes that do so at once take turns.
pub async fn migrate(options: &PgConnectOptions) -> Result<Vec<Applied>, MigrateError> {
    migrate_with(&MIGRATOR, options).await
}

async fn migrate_with(migrator: &Migrator, options: &PgConnectOptions) -> Result<Vec<Applied>, MigrateError> {
    let mut connection = options.connect().await.map_err(MigrateError::Connect)?;
    let result = apply_all(migrator, &mut connection).await;
    let _ = connection.close().await; // and with it the lock and the setting
    result
}

async fn apply_all(migrator: &Migrator, connection: &mut PgConnection) -> Result<Vec<Applied>, MigrateError> {
    let set = |error: sqlx::Error| MigrateError::Bookkeeping(error.into());
    sqlx::raw_sql(OTHER_MIGRATION_TIMEOUT)
        .execute(&mut *connection)
        .await
        .map_err(set)?;
    connection.lock().await.map_err(|error| {
        if gave_way(&error) {
            MigrateError::OtherMigration
        } else {
            MigrateError::Bookkeeping(error)
        }
    })?;
    sqlx::raw_sql(LOCK_TIMEOUT)
        .execute(&mut *connection)
        .await
        .map_err(set)?;

    // Up to no version: makes the bookkeeping, and refuses a database that has more than we have.
    migrator
        .run_to(i64::MIN, &mut *connection)
        .await
        .map_err(|error| match error {
            sqlx::migrate::MigrateError::VersionMissing(version) => MigrateError::Ahead(version),
            error => MigrateError::Bookkeeping(error),
        })?;
    let known = connection
        .list_applied_migrations(BOOKKEEPING)
        .await
        .map_err(MigrateError::Bookkeeping)?;
    let mut applied = Vec::new();
    for migration in migrator
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
    {
        let (version, description) = (migration.version, migration.description.to_string());
        if let Some(known) = known.iter().find(|known| known.version == version) {
            if known.checksum != migration.checksum {
                return Err(MigrateError::Changed { version, description });
            }
            continue;
        }
        let begun = Instant::now();
        if let Err(source) = migrator.run_to(version, &mut *connection).await {
            return Err(if gave_way(&source) {
                MigrateError::Busy { version, description }
            } else {
                MigrateError::Apply {
                    version,
                    description,
                    source,
                }
            });
        }
        applied.push(Applied {
            version,
            description,
            elapsed: begun.elapsed(),
        });
    }
    Ok(applied)
}

/// 55P03: `lock_timeout` has passed.
fn gave_way(error: &sqlx::migrate::MigrateError) -> bool {
    use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
    let (Execute(error) | ExecuteMigration(error, _)) = error else {
        return false;
    };
    error.as_database_error().and_then(DatabaseError::code).as_deref() == Some("55P03")
}

/// Reads the bookkeeping. Needs no more than to read it, and works behind a transaction pooler.
pub async fn schema_status(pool: &PgPool) -> Result<SchemaStatus, sqlx::Error> {
    status_with(&MIGRATOR, pool).await
}

async fn status_with(migrator: &Migrator, pool: &PgPool) -> Result<SchemaStatus, sqlx::Error> {
    let exists = "SELECT to_regclass('avinode_ingest.schema_migrations') IS NOT NULL";
    // One transaction: an unnamed statement is sent in several messages, and a pooler may part them otherwise.
    let mut tx = pool.begin().await?;
    if !sqlx::query_scalar::<_, bool>(exists)
        .persistent(false)
        .fetch_one(&mut *tx)
        .await?
    {
        return Ok(SchemaStatus::Fresh);
    }
    let rows = "SELECT version, success, checksum FROM avinode_ingest.schema_migrations ORDER BY version";
    let applied = sqlx::query_as::<_, (i64, bool, Vec<u8>)>(rows)
        .persistent(false)
        .fetch_all(&mut *tx)
        .await?;
    tx.commit().await?;
    let ours = migrator
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration());
    let expected: Vec<_> = ours
        .map(|migration| (migration.version, migration.checksum.to_vec()))
        .collect();
    Ok(compare(&applied, &expected))
}

fn compare(applied: &[(i64, bool, Vec<u8>)], expected: &[(i64, Vec<u8>)]) -> SchemaStatus {
    let changed = |version: i64, checksum: &Vec<u8>| expected.iter().any(|one| one.0 == version && &one.1 != checksum);
    if let Some(&(version, ..)) = applied
        .iter()
        .find(|(version, success, sum)| !success || changed(*version, sum))
    {
        return SchemaStatus::Dirty { version };
    }
    let Some(highest) = applied.iter().map(|one| one.0).max() else {
        return SchemaStatus::Fresh;
    };
    let expected_highest = expected.iter().map(|one| one.0).max().unwrap_or(0);
    if expected
        .iter()
        .any(|one| applied.iter().all(|applied| applied.0 != one.0))
    {
        SchemaStatus::Behind {
            applied: highest,
            expected: expected_highest,
        }
    } else if applied.len() > expected.len() {
        SchemaStatus::Ahead {
            applied: highest,
            expected: expected_highest,
        }
    } else {
        SchemaStatus::Current { version: highest }
    }
}

#[cfg(test)]
#[path = "migrator_tests.rs"]
mod tests;
