//! Applies migrations.
//!
//! The queries are not checked macros: they read sqlx's migrations table, which no migration creates. sqlx applies each file; the
//! lock is ours (`lock`), because sqlx's own keeps a snapshot open while it waits.

use std::time::{Duration, Instant};

use sqlx::error::DatabaseError;
use sqlx::migrate::{Migrate, Migration, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

use self::error::{MIGRATIONS_TABLE, MigrateError};
use self::known::{MIGRATOR, last_version, ours};
use self::pre_release::is_pre_release;
use super::encoding::{SERVER_ENCODING, require_utf8};
use super::hosts::DatabaseHosts;
use super::server_error::readable_migration;
use super::sqlstate::is_contention;

pub mod adoption;
pub mod compatibility;
pub mod error;
mod indexes;
pub mod known;
mod lock;
mod pre_release;
mod recreate;
pub mod status;

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

/// The limit for connecting.
const CONNECT: Duration = Duration::from_secs(10);

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

/// Applies the missing migrations in order, on a direct connection (a transaction pooler would not keep its settings and its
/// lock), and returns them. Concurrent processes take turns.
///
/// Also creates indexes and triggers that an earlier migration created and that are missing: an application may drop a table and
/// create it again.
pub async fn migrate(hosts: impl Into<DatabaseHosts>) -> Result<Vec<AppliedMigration>, MigrateError> {
    migrate_with(&MIGRATOR, &hosts.into(), TIMEOUTS, Recreate::Nothing).await
}

/// The same; first creates tables of the application again that it dropped.
pub async fn migrate_standalone(hosts: impl Into<DatabaseHosts>) -> Result<Vec<AppliedMigration>, MigrateError> {
    migrate_with(&MIGRATOR, &hosts.into(), TIMEOUTS, Recreate::Tables).await
}

/// The tables to create again in a database that is migrated already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Recreate {
    Nothing,
    Tables,
}

async fn migrate_with(
    migrator: &Migrator,
    hosts: &DatabaseHosts,
    timeouts: Timeouts,
    recreate: Recreate,
) -> Result<Vec<AppliedMigration>, MigrateError> {
    let connected = hosts.connect(CONNECT).await;
    let mut connection = connected.map_err(MigrateError::Connect)?;
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

#[cfg(test)]
mod tests;
