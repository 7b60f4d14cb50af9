//! How a transaction that writes sessions begins: it says whose it is, and how long it waits for others.

use crate::postgres::transaction::{Pool, Transaction};

/// How long a worker's transaction waits for a lock, as long as it holds no session. Below Postgres's default
/// `deadlock_timeout` of a second: where a worker and the application wait for each other, the worker gives way before
/// Postgres looks for a victim. With sessions held it waits for hardly anything (`sessions::lock`).
const LOCK_TIMEOUT: &str = "300ms";

/// A transaction of ours: it says so to the triggers, and gives way early where the application waits.
///
/// Its commit does not wait for the disk. What a crash of Postgres takes back it takes back whole, the end of its jobs
/// included: they are due again, and their deliveries are durable. Whatever of the application's is durable after it makes it
/// durable too, since the log is written in order.
pub async fn begin(pool: &Pool) -> Result<Transaction<'static>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    sqlx::query!(
        "SELECT set_config('avinode_ingest.writer', 'on', true) AS writer, set_config('lock_timeout', $1, true) AS timeout, \
         set_config('synchronous_commit', 'off', true) AS unhurried",
        LOCK_TIMEOUT
    )
    .fetch_one(&mut tx)
    .await?;
    Ok(tx)
}
