//! Applies migrations, and reports the status of the schema: `serve` refuses a schema that is older than the program.
//!
//! The queries are not checked macros: they read sqlx's migrations table, which no migration creates. sqlx applies each file; the
//! lock is ours (`lock`), because sqlx's own keeps a snapshot open while it waits.

use std::time::{Duration, Instant};

use sqlx::error::DatabaseError;
use sqlx::migrate::{Migrate, Migration, Migrator};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use self::compatibility::IncompatibleSchema;
use self::error::{MIGRATIONS_TABLE, MigrateError};
use self::pre_release::is_pre_release;
use super::encoding::{SERVER_ENCODING, UnsupportedEncoding, require_utf8};
use super::server_error::{readable, readable_migration};
use super::sqlstate::is_contention;
use super::transaction::Pool;

pub mod adoption;
pub mod compatibility;
pub mod error;
mod indexes;
mod lock;
mod pre_release;
mod recreate;

/// The files of `migrations/`, built into the program. `sqlx.toml` puts the migrations table into our own schema.
pub static MIGRATOR: Migrator = sqlx::migrate!("../../migrations");

/// Defaults of the database and of the role are overridden, as for all other statements ([`super::session_defaults`]). No notices
/// about objects that exist already, and more time for an index build than the role may have.
const SETTINGS: &str = "SET default_transaction_isolation = 'read committed'; SET standard_conforming_strings = on; \
     SET client_min_messages = 'warning'; SET statement_timeout = '1h'";
/// The server checks that we are still connected, so that a killed `migrate` does not leave its lock behind. Not available on
/// every platform.
const CHECK_CONNECTION: &str = "SET client_connection_check_interval = '1s'";
/// For a file that is one transaction. The application's writes queue behind a migration that waits for a lock, so it waits
/// briefly and tries again. Less than `deadlock_timeout` (1 s): it gives up before Postgres chooses a victim, which could be
/// the application.
const SHORT_LOCK_TIMEOUT: &str = "SET lock_timeout = '700ms'";
/// For a file without a transaction: CREATE INDEX CONCURRENTLY waits for old transactions without blocking writes, and leaves
/// an invalid index when it is cancelled. `statement_timeout` bounds it.
const NO_LOCK_TIMEOUT: &str = "SET lock_timeout = 0";

/// The file that creates the function `restore_triggers`.
const RESTORES_TRIGGERS: i64 = 202_611_280_412;

#[derive(Debug, Clone, Copy)]
struct Timeouts {
    /// For another process that is migrating.
    lock: Duration,
    /// For tables that the application has locked; a file is tried again until then.
    tables: Duration,
}

const TIMEOUTS: Timeouts = Timeouts {
    lock: Duration::from_secs(60),
    tables: Duration::from_secs(30),
};
/// The pause between two attempts, in which writes that queued behind the first one run.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// A migration that this call applied. Its file is named `{version}_{description}.sql`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedMigration {
    pub version: i64,
    pub description: String,
    pub elapsed: Duration,
}

/// The applied migrations compared with those of this program; the numbers are the highest versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaStatus {
    /// Never migrated.
    Fresh,
    /// Migrations are missing: run `migrate`.
    Behind { applied: i64, expected: i64 },
    /// Migrated by a version before the first release; cannot be upgraded.
    PreRelease,
    /// Exactly the migrations of this program.
    Current { version: i64 },
    /// All of ours, and those of a newer program. We can run on: migrations expand first and contract later.
    Ahead { applied: i64, expected: i64 },
    /// The same, but the schema excludes this program.
    TooNew(IncompatibleSchema),
    /// A migration was interrupted, or its file has changed since it was applied.
    Dirty { version: i64 },
    /// The database cannot hold the schema.
    Encoding(UnsupportedEncoding),
}

/// Applies the missing migrations in order, on a direct connection (a transaction pooler would not keep its settings and its
/// lock), and returns them. Concurrent processes take turns.
///
/// Also creates indexes and triggers that an earlier migration created and that are missing: an application may drop a table and
/// create it again.
pub async fn migrate(options: &PgConnectOptions) -> Result<Vec<AppliedMigration>, MigrateError> {
    migrate_with(&MIGRATOR, options, TIMEOUTS, Recreate::Nothing).await
}

/// The same; first creates tables of the application again that it dropped.
pub async fn migrate_standalone(options: &PgConnectOptions) -> Result<Vec<AppliedMigration>, MigrateError> {
    migrate_with(&MIGRATOR, options, TIMEOUTS, Recreate::Tables).await
}

/// The tables to create again in a database that is migrated already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recreate {
    Nothing,
    Tables,
}

async fn migrate_with(
    migrator: &Migrator,
    options: &PgConnectOptions,
    timeouts: Timeouts,
    recreate: Recreate,
) -> Result<Vec<AppliedMigration>, MigrateError> {
    let connected = options.connect().await;
    let mut connection = connected.map_err(|error| MigrateError::Connect(readable(error)))?;
    let result = apply_all(migrator, &mut connection, timeouts, recreate).await;
    let _ = connection.close().await; // releases the lock
    result
}

async fn apply_all(
    migrator: &Migrator,
    connection: &mut PgConnection,
    timeouts: Timeouts,
    recreate: Recreate,
) -> Result<Vec<AppliedMigration>, MigrateError> {
    let encoding = sqlx::query_scalar(AssertSqlSafe(format!("SELECT {SERVER_ENCODING}")));
    require_utf8(encoding.fetch_one(&mut *connection).await?)?;
    set(connection, SETTINGS).await?;
    let _ = set(connection, CHECK_CONNECTION).await;
    lock::acquire(connection, timeouts.lock).await?;
    set(connection, NO_LOCK_TIMEOUT).await?;
    let known = applied_versions(migrator, connection).await?;
    let is_known = |migration: &Migration| known.contains(&migration.version);
    if recreate == Recreate::Tables && !known.is_empty() {
        recreate::tables(connection).await?;
        set(connection, NO_LOCK_TIMEOUT).await?;
    }
    indexes::repair(migrator, connection, is_known).await?;

    let mut applied = Vec::new();
    for migration in ours(migrator).filter(|migration| !is_known(migration)) {
        let begun = Instant::now();
        let lock_timeout = if migration.no_tx {
            NO_LOCK_TIMEOUT
        } else {
            SHORT_LOCK_TIMEOUT
        };
        set(connection, lock_timeout).await?;
        apply(connection, migration, timeouts.tables).await?;
        applied.push(AppliedMigration {
            version: migration.version,
            description: migration.description.to_string(),
            elapsed: begun.elapsed(),
        });
    }
    if recreate == Recreate::Tables && !known.is_empty() {
        recreate::policies(connection).await?;
    }
    if applied
        .iter()
        .map(|one| one.version)
        .chain(known)
        .any(|version| version == RESTORES_TRIGGERS)
    {
        recreate::triggers(connection).await?;
    }
    Ok(applied)
}

/// Creates the migrations table if it does not exist, and returns the applied versions. Refuses a database that this program
/// cannot migrate.
async fn applied_versions(migrator: &Migrator, connection: &mut PgConnection) -> Result<Vec<i64>, MigrateError> {
    for schema in migrator.create_schemas.iter() {
        connection.create_schema_if_not_exists(schema).await?;
    }
    connection.ensure_migrations_table(MIGRATIONS_TABLE).await?;
    if is_pre_release(migrator, &mut *connection).await? {
        return Err(MigrateError::PreRelease);
    }
    if let Some(version) = connection.dirty_version(MIGRATIONS_TABLE).await? {
        return Err(sqlx::migrate::MigrateError::Dirty(version).into());
    }
    let known = connection.list_applied_migrations(MIGRATIONS_TABLE).await?;
    for one in &known {
        match ours(migrator).find(|migration| migration.version == one.version) {
            // Of a newer program.
            None => {}
            Some(migration) if migration.checksum != one.checksum => {
                return Err(MigrateError::Changed {
                    version: migration.version,
                    description: migration.description.to_string(),
                });
            }
            Some(_) => {}
        }
    }
    let mut versions = known.iter().map(|one| one.version);
    if versions.any(|version| ours(migrator).all(|migration| migration.version != version)) {
        let compatible = compatibility::check(connection, last_version(migrator)).await;
        compatible.map_err(MigrateError::Compatibility)??;
    }
    Ok(known.iter().map(|one| one.version).collect())
}

/// Applies one file; tries again while the application has locked a table that it needs.
async fn apply(connection: &mut PgConnection, migration: &Migration, timeout: Duration) -> Result<(), MigrateError> {
    let begun = Instant::now();
    loop {
        let Err(source) = connection.apply(MIGRATIONS_TABLE, migration).await else {
            return Ok(());
        };
        let (version, description) = (migration.version, migration.description.to_string());
        if !is_lock_conflict(&source) {
            return Err(MigrateError::Apply {
                version,
                description,
                source: readable_migration(source),
            });
        }
        if begun.elapsed() >= timeout {
            return Err(MigrateError::Busy { version, description });
        }
        tokio::time::sleep(RETRY_INTERVAL).await;
    }
}

/// The version of the last migration that this program knows.
fn last_version(migrator: &Migrator) -> i64 {
    ours(migrator).map(|migration| migration.version).max().unwrap_or(0)
}

fn ours(migrator: &Migrator) -> impl Iterator<Item = &Migration> {
    migrator
        .iter()
        .filter(|migration| !migration.migration_type.is_down_migration())
}

async fn set(connection: &mut PgConnection, settings: &'static str) -> Result<(), MigrateError> {
    sqlx::raw_sql(settings).execute(connection).await?;
    Ok(())
}

fn is_lock_conflict(error: &sqlx::migrate::MigrateError) -> bool {
    use sqlx::migrate::MigrateError::{Execute, ExecuteMigration};
    let (Execute(error) | ExecuteMigration(error, _)) = error else {
        return false;
    };
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.as_deref().is_some_and(is_contention)
}

/// Reads the migrations table. Needs SELECT on it only, and works behind a transaction pooler.
pub async fn schema_status(pool: &Pool) -> Result<SchemaStatus, sqlx::Error> {
    status_with(&MIGRATOR, pool).await
}

async fn status_with(migrator: &Migrator, pool: &Pool) -> Result<SchemaStatus, sqlx::Error> {
    let database = format!("SELECT {SERVER_ENCODING}, to_regclass('avinode_ingest.schema_migrations') IS NOT NULL");
    // One transaction: an unnamed statement is sent in several messages, which a pooler could send to different servers.
    let mut tx = pool.begin().await?;
    let (encoding, migrated) = sqlx::query_as::<_, (String, bool)>(AssertSqlSafe(database))
        .persistent(false)
        .fetch_one(&mut tx)
        .await?;
    if let Err(unsupported) = require_utf8(encoding) {
        return Ok(SchemaStatus::Encoding(unsupported));
    }
    if !migrated {
        return Ok(SchemaStatus::Fresh);
    }
    if is_pre_release(migrator, &mut tx).await? {
        return Ok(SchemaStatus::PreRelease);
    }
    let rows = "SELECT version, success, checksum FROM avinode_ingest.schema_migrations ORDER BY version";
    let applied = sqlx::query_as::<_, (i64, bool, Vec<u8>)>(rows)
        .persistent(false)
        .fetch_all(&mut tx)
        .await?;
    let expected: Vec<_> = ours(migrator)
        .map(|migration| (migration.version, migration.checksum.to_vec()))
        .collect();
    let mut status = compare(&applied, &expected);
    if matches!(status, SchemaStatus::Ahead { .. })
        && let Err(incompatible) = compatibility::check(tx.connection(), last_version(migrator)).await?
    {
        status = SchemaStatus::TooNew(incompatible);
    }
    tx.commit().await?;
    Ok(status)
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
