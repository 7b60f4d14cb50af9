//! Brings the schema up to date, and tells whether it is: `serve` refuses a schema older than itself.
//!
//! The queries are not the checked macros': they read the bookkeeping, which no migration makes. sqlx applies each file;
//! the turn-taking is ours (`turn`), because sqlx's own keeps a snapshot open for as long as it waits.

use std::time::{Duration, Instant};

use sqlx::error::DatabaseError;
use sqlx::migrate::{Migrate, Migration, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection};

use self::error::MigrateError;
use super::sqlstate::is_contention;
use super::transaction::Pool;

pub mod error;
mod indexes;
mod lock;

/// The migrations of `migrations/`, built into the program. `sqlx.toml` puts their bookkeeping in our own schema.
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// The bookkeeping's table, as `sqlx.toml` names it (a test holds the two together).
const BOOKKEEPING: &str = "avinode_ingest.schema_migrations";

/// No notice of each thing that exists already, and no limit of the role's in the way of a long index build.
const SETTINGS: &str = "SET client_min_messages = 'warning'; SET statement_timeout = '1h'";
/// The server looks whether we are still there, so that a killed `migrate` does not leave its lock behind. Not every
/// platform can.
const NOTICES_OUR_DEATH: &str = "SET client_connection_check_interval = '1s'";
/// For a file that is one transaction. The application's writes queue behind a waiting migration, so it waits briefly and
/// comes back: less than `deadlock_timeout` (1 s), so that it gives way before Postgres looks for a victim, which might
/// be the application.
const BRIEF_LOCKS: &str = "SET lock_timeout = '700ms'";
/// For a file without a transaction: CREATE INDEX CONCURRENTLY waits for old transactions without blocking a writer, and
/// leaves an invalid index behind when it is cancelled. `statement_timeout` bounds it.
const PATIENT_LOCKS: &str = "SET lock_timeout = 0";

/// How long to wait for others.
#[derive(Debug, Clone, Copy)]
struct Patience {
    /// For another process that is migrating.
    turn: Duration,
    /// For tables that the application holds: a file is tried again until then.
    tables: Duration,
}

const PATIENCE: Patience = Patience {
    turn: Duration::from_secs(60),
    tables: Duration::from_secs(30),
};
/// Between two tries of a file, so that writers who queued behind the last one get through.
const BETWEEN_TRIES: Duration = Duration::from_millis(500);

/// A migration that was applied just now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedMigration {
    /// The number that its file's name begins with.
    pub version: i64,
    /// The rest of its file's name.
    pub description: String,
    /// How long it took.
    pub elapsed: Duration,
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
pub async fn migrate(options: &PgConnectOptions) -> Result<Vec<AppliedMigration>, MigrateError> {
    migrate_with(&MIGRATOR, options, PATIENCE).await
}

async fn migrate_with(
    migrator: &Migrator,
    options: &PgConnectOptions,
    patience: Patience,
) -> Result<Vec<AppliedMigration>, MigrateError> {
    let mut connection = options.connect().await.map_err(MigrateError::Connect)?;
    let result = apply_all(migrator, &mut connection, patience).await;
    let _ = connection.close().await; // and with it the lock and the settings
    result
}

async fn apply_all(
    migrator: &Migrator,
    connection: &mut PgConnection,
    patience: Patience,
) -> Result<Vec<AppliedMigration>, MigrateError> {
    set(connection, SETTINGS).await?;
    let _ = set(connection, NOTICES_OUR_DEATH).await;
    lock::take(connection, patience.turn).await?;
    set(connection, PATIENT_LOCKS).await?;
    let known = bookkeeping(migrator, connection).await?;
    let is_known = |migration: &Migration| known.contains(&migration.version);
    indexes::heal(migrator, connection, is_known).await?;

    let mut applied = Vec::new();
    for migration in ours(migrator).filter(|migration| !is_known(migration)) {
        let begun = Instant::now();
        set(connection, if migration.no_tx { PATIENT_LOCKS } else { BRIEF_LOCKS }).await?;
        apply(connection, migration, patience.tables).await?;
        applied.push(AppliedMigration {
            version: migration.version,
            description: migration.description.to_string(),
            elapsed: begun.elapsed(),
        });
    }
    Ok(applied)
}

/// Makes the bookkeeping where there is none, and returns the applied versions; refuses a database that is not ours to
/// bring forward.
async fn bookkeeping(migrator: &Migrator, connection: &mut PgConnection) -> Result<Vec<i64>, MigrateError> {
    for schema in migrator.create_schemas.iter() {
        connection
            .create_schema_if_not_exists(schema)
            .await
            .map_err(MigrateError::Bookkeeping)?;
    }
    connection
        .ensure_migrations_table(BOOKKEEPING)
        .await
        .map_err(MigrateError::Bookkeeping)?;
    let dirty = connection
        .dirty_version(BOOKKEEPING)
        .await
        .map_err(MigrateError::Bookkeeping)?;
    if let Some(version) = dirty {
        return Err(MigrateError::Bookkeeping(sqlx::migrate::MigrateError::Dirty(version)));
    }
    let known = connection
        .list_applied_migrations(BOOKKEEPING)
        .await
        .map_err(MigrateError::Bookkeeping)?;
    for one in &known {
        match ours(migrator).find(|migration| migration.version == one.version) {
            None => return Err(MigrateError::Ahead(one.version)),
            Some(migration) if migration.checksum != one.checksum => {
                return Err(MigrateError::Changed {
                    version: migration.version,
                    description: migration.description.to_string(),
                });
            }
            Some(_) => {}
        }
    }
    Ok(known.iter().map(|one| one.version).collect())
}

/// Applies one file, again and again where the application holds a table that it needs.
async fn apply(connection: &mut PgConnection, migration: &Migration, patience: Duration) -> Result<(), MigrateError> {
    let begun = Instant::now();
    loop {
        let Err(source) = connection.apply(BOOKKEEPING, migration).await else {
            return Ok(());
        };
        let (version, description) = (migration.version, migration.description.to_string());
        if !gave_way(&source) {
            return Err(MigrateError::Apply {
                version,
                description,
                source,
            });
        }
        if begun.elapsed() >= patience {
            return Err(MigrateError::Busy { version, description });
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
}

fn ours(migrator: &Migrator) -> impl Iterator<Item = &Migration> {
    migrator
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
}

async fn set(connection: &mut PgConnection, settings: &'static str) -> Result<(), MigrateError> {
    let done = sqlx::raw_sql(settings).execute(connection).await;
    done.map(drop).map_err(|error| MigrateError::Bookkeeping(error.into()))
}

fn gave_way(error: &sqlx::migrate::MigrateError) -> bool {
    use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
    let (Execute(error) | ExecuteMigration(error, _)) = error else {
        return false;
    };
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.as_deref().is_some_and(is_contention)
}

/// Reads the bookkeeping. Needs no more than to read it, and works behind a transaction pooler.
pub async fn schema_status(pool: &Pool) -> Result<SchemaStatus, sqlx::Error> {
    status_with(&MIGRATOR, pool).await
}

async fn status_with(migrator: &Migrator, pool: &Pool) -> Result<SchemaStatus, sqlx::Error> {
    let exists = "SELECT to_regclass('avinode_ingest.schema_migrations') IS NOT NULL";
    // One transaction: an unnamed statement is sent in several messages, and a pooler may part them otherwise.
    let mut tx = pool.begin().await?;
    if !sqlx::query_scalar::<_, bool>(exists)
        .persistent(false)
        .fetch_one(&mut tx)
        .await?
    {
        return Ok(SchemaStatus::Fresh);
    }
    let rows = "SELECT version, success, checksum FROM avinode_ingest.schema_migrations ORDER BY version";
    let applied = sqlx::query_as::<_, (i64, bool, Vec<u8>)>(rows)
        .persistent(false)
        .fetch_all(&mut tx)
        .await?;
    tx.commit().await?;
    let expected: Vec<_> = ours(migrator)
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
mod tests;
