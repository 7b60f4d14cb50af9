//! The lock that lets one process at a time migrate a database.
//!
//! It is polled: a session that waits in `pg_advisory_lock` keeps its snapshot, and the CREATE INDEX CONCURRENTLY of the process
//! that holds the lock waits for all older snapshots, which would be a deadlock.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;

use super::error::MigrateError;

/// The key of the advisory lock, per database: the bytes of "avinodei".
const KEY: i64 = 0x6176_696e_6f64_6569;
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Takes the lock for the rest of the session.
pub(super) async fn acquire(connection: &mut PgConnection, timeout: Duration) -> Result<(), MigrateError> {
    let begun = Instant::now();
    while !try_acquire(connection).await? {
        if begun.elapsed() >= timeout {
            return Err(MigrateError::OtherMigration);
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    Ok(())
}

async fn try_acquire(connection: &mut PgConnection) -> Result<bool, MigrateError> {
    let attempt = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)").bind(KEY);
    Ok(attempt.fetch_one(connection).await?)
}
