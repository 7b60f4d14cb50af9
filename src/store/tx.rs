//! How a transaction that writes sessions begins: it says whose it is, and how long it waits for others.

use crate::postgres::transaction::{Pool, Transaction};

/// The words that begin it, in one message to the server: a transaction and what holds for its length alone.
///
/// `lock_timeout` is how long it waits for a lock, as long as it holds no session. Below Postgres's default
/// `deadlock_timeout` of a second: where a worker and the application wait for each other, the worker gives way before
/// Postgres looks for a victim. With sessions held it waits for hardly anything (`sessions::lock`).
///
/// As to plans: a worker's statements all find rows by key. Without statistics (a table just attached, or one that has just grown)
/// the planner would read whole tables, and it would plan anew at each execution what is always the same.
macro_rules! words {
    ($more:literal) => {
        concat!(
            "BEGIN; SET LOCAL avinode_ingest.writer = 'on'; SET LOCAL lock_timeout = '300ms'; ",
            "SET LOCAL synchronous_commit = off",
            $more
        )
    };
}

/// A transaction of ours: it says so to the triggers, and gives way early where the application waits.
///
/// Its commit does not wait for the disk. What a crash of Postgres takes back it takes back whole, the end of its jobs
/// included: they are due again, and their deliveries are durable. Whatever of the application's is durable after it makes it
/// durable too, since the log is written in order.
pub async fn begin(pool: &Pool) -> Result<Transaction<'static>, sqlx::Error> {
    pool.begin_with(words!(
        "; SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan"
    ))
    .await
}

/// Likewise for a sweep, which does read whole tables.
pub async fn begin_reading_all(pool: &Pool) -> Result<Transaction<'static>, sqlx::Error> {
    pool.begin_with(words!("")).await
}
