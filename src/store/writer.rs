//! How a transaction that writes sessions begins: it says whose it is, and how long it waits for others.

use sqlx::{PgPool, Postgres, Transaction};

/// How long a worker's transaction waits for a lock, as long as it holds no session. Below Postgres's default
/// `deadlock_timeout` of a second: where a worker and the application wait for each other, the worker gives way before
/// Postgres looks for a victim. With sessions held it waits for hardly anything (`sessions::lock`).
const LOCK_TIMEOUT: &str = "300ms";

/// A transaction of ours: it says so to the triggers, and gives way early where the application waits.
pub async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query!(
        "SELECT set_config('avinode_ingest.writer', 'on', true) AS writer, set_config('lock_timeout', $1, true) AS timeout",
        LOCK_TIMEOUT
    )
    .fetch_one(&mut *tx)
    .await?;
    Ok(tx)
}
