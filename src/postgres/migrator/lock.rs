//! Taking turns: one process migrates a database at a time.
//!
//! Asked for again and again rather than waited for: a session that waits in `pg_advisory_lock` keeps its snapshot, and
//! the CREATE INDEX CONCURRENTLY of the process that holds the lock waits for all older snapshots: a deadlock.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnection;

use super::error::MigrateError;

/// The advisory lock; its keys belong to the database that they are taken in. The bytes of "avinodei".
const KEY: i64 = 0x6176_696e_6f64_6569;
/// Between two questions; nothing is open meanwhile.
const POLL: Duration = Duration::from_millis(100);

/// Takes the lock for the rest of the session.
pub(super) async fn take(connection: &mut PgConnection, patience: Duration) -> Result<(), MigrateError> {
    let begun = Instant::now();
    while !ask(connection).await? {
        if begun.elapsed() >= patience {
            return Err(MigrateError::OtherMigration);
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

async fn ask(connection: &mut PgConnection) -> Result<bool, MigrateError> {
    sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
        .bind(KEY)
        .fetch_one(connection)
        .await
        .map_err(|error| MigrateError::Bookkeeping(error.into()))
}
