//! Workers that a test drives step by step.

use std::sync::Arc;
use std::time::Duration;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::jobs::registry;
use avinode_ingest::postgres::transaction;
use avinode_ingest::queue::claim_by_kind::{ClaimByKind, KindHandler};
use avinode_ingest::queue::handler::{JobBatch, UnfinishedJobs};
use avinode_ingest::queue::job::JobError;
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::outcomes::{self, JobOutcome};
use avinode_ingest::queue::retry::RetryPolicy;
use avinode_ingest::queue::worker::Worker;
use avinode_ingest::queue::{admin, claim};
use avinode_ingest::store::session_changes::SessionChanges;

use super::PATIENCE;
use super::bodies::base;
use super::eventually::eventually;
use super::pool::Pool;

/// Finishes the jobs of a batch that are still held, as a handler without work does.
pub async fn finish(pool: &transaction::Pool, batch: &JobBatch) -> Result<UnfinishedJobs, JobError> {
    let mut tx = pool.begin().await?;
    let held = claim::lock_held(&mut tx, &batch.jobs).await?;
    let outcome = |job| JobOutcome::new(job, "nothing", "");
    outcomes::complete(&mut tx, &held.iter().copied().map(outcome).collect::<Vec<_>>()).await?;
    tx.commit().await?;
    Ok(vec![])
}

/// A worker with the default policy, at `base()`.
pub fn worker(pool: &Pool) -> Arc<Worker> {
    worker_at(pool, Clock::Fixed(base()))
}

/// A worker with the default policy and this clock.
pub fn worker_at(pool: &Pool, clock: Clock) -> Arc<Worker> {
    worker_with_policy(pool, PrimaryQuotePolicy::Latest, clock)
}

pub fn worker_with_policy(pool: &Pool, policy: PrimaryQuotePolicy, clock: Clock) -> Arc<Worker> {
    worker_with_handlers(
        pool,
        registry::handlers(pool, policy, clock, &SessionChanges::default()),
    )
}

pub fn worker_with_handlers(pool: &Pool, handlers: Vec<KindHandler>) -> Arc<Worker> {
    Arc::new(Worker {
        poll: Duration::from_millis(20),
        retry: RetryPolicy {
            base: Duration::from_millis(5),
            max: Duration::from_millis(50),
            ..RetryPolicy::default()
        },
        ..Worker::new(pool.service(), pool.service(), ClaimByKind::new(handlers))
    })
}

/// Steps until no job is runnable. A job that met a lock is due again some milliseconds later, so a few empty steps are normal.
pub async fn run_until_idle(worker: &Worker) {
    eventually(PATIENCE * 5, "no job is runnable", async || {
        while worker.step("w").await.unwrap().jobs > 0 {}
        let blocked = [JobKind::FetchNotified];
        let runnable = admin::count_runnable(&worker.pool, &blocked, &[], Duration::ZERO).await;
        match runnable.unwrap() {
            0 => Ok(()),
            left => Err(left),
        }
    })
    .await;
}

/// Runs all jobs of a database by one worker at `base()`.
pub async fn run_jobs(pool: &Pool) {
    run_until_idle(&worker(pool)).await;
}
