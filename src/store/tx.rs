//! Begins the workers' transactions: marked as ours for the triggers, and with a short `lock_timeout`.

use crate::postgres::transaction::{Pool, Transaction};

/// The settings of a transaction, sent in one message with BEGIN. They last as long as the transaction.
///
/// `lock_timeout` is shorter than Postgres's default `deadlock_timeout` of one second: where a worker and the application
/// wait for each other, the worker gives up before Postgres chooses a victim. After the sessions are locked it becomes much
/// shorter still (`sessions::lock`).
///
/// About `$more`: the workers' statements find all rows by key. Without statistics (a table just attached, or one that has
/// just grown) the planner would read whole tables, and it would plan the same statement again at each execution.
macro_rules! settings {
    ($more:literal) => {
        concat!(
            "SET LOCAL avinode_ingest.writer = 'on'; SET LOCAL lock_timeout = '300ms'; ",
            "SET LOCAL synchronous_commit = off; ",
            $more
        )
    };
}

/// Begins a transaction that marks itself as ours for the triggers, and gives up early on locks.
///
/// Its commit does not wait for the disk. A crash of Postgres undoes it completely, with the completion of its jobs: the
/// jobs are due again, and their deliveries are durable. WAL is written in order: a later synchronous commit by the
/// application also makes this one durable.
pub async fn begin(pool: &Pool) -> Result<Transaction<'static>, sqlx::Error> {
    pool.begin_with(settings!(
        "SET LOCAL enable_seqscan = off; SET LOCAL plan_cache_mode = force_generic_plan; "
    ))
    .await
}

/// Begins such a transaction for a resync, which does read whole tables.
pub async fn begin_full_scan(pool: &Pool) -> Result<Transaction<'static>, sqlx::Error> {
    pool.begin_with(settings!("")).await
}
