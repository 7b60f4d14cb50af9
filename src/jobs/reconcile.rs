//! Asking for the truth without a notification: the trips of sessions are put up for fetching, and what a webhook that never
//! came left out is learned from their documents. Avinode gives a webhook up after 48 hours.
//!
//! The jobs are of the least urgent kind that is fetched, and within the rate limit like all others.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::avinode::resource::Resource;
use crate::avinode::resource_id::ResourceId;
use crate::domain::job_kind::JobKind;
use crate::postgres::transaction::Pool;
use crate::queue::admin::{self, FinishedJob};
use crate::queue::enqueue::{self, InsertOptions, NewJob, RunOption, UniqueOptions};
use crate::store::trip_lookup::{self, ReconcileScope, ReconcileTarget};

/// What was put up for fetching.
#[derive(Debug, Clone)]
pub struct ReconcilePlan {
    /// The trips, and what is fetched of each.
    pub targets: Vec<ReconcileTarget>,
    /// Resources that were queued; the others waited already.
    pub queued: u64,
}

/// Somebody who waits for what came of asking: jobs and their outcomes bear its id.
#[derive(Debug, Clone, Copy)]
pub struct ReconcileRun {
    id: Uuid,
    /// By the database's clock, before anything was queued.
    since: DateTime<Utc>,
}

/// Puts the trips of sessions up for fetching. Nobody waits for it.
pub async fn ask(pool: &Pool, which: &ReconcileScope) -> Result<ReconcilePlan, sqlx::Error> {
    let (targets, keys) = targets(pool, which).await?;
    let options = InsertOptions::unique(UniqueOptions::LIVE);
    let queued = insert(pool, keys, options).await?;
    Ok(ReconcilePlan { targets, queued })
}

/// Puts the trips of sessions up for fetching, to wait for them.
pub async fn begin(pool: &Pool, which: &ReconcileScope) -> Result<(ReconcilePlan, ReconcileRun), sqlx::Error> {
    let (targets, keys) = targets(pool, which).await?;
    let run = ReconcileRun {
        id: Uuid::now_v7(),
        since: admin::now(pool).await?,
    };
    let options = InsertOptions::runs(RunOption::Join(run.id));
    let queued = insert(pool, keys, options).await?;
    Ok((ReconcilePlan { targets, queued }, run))
}

async fn insert(pool: &Pool, keys: Vec<String>, options: InsertOptions<'_>) -> Result<u64, sqlx::Error> {
    let jobs: Vec<NewJob> = keys
        .into_iter()
        .map(|key| NewJob::new(JobKind::Reconcile, key))
        .collect();
    let mut tx = pool.begin().await?;
    let inserted = enqueue::insert(&mut tx, &jobs, options).await?;
    tx.commit().await?;
    Ok(inserted)
}

async fn targets(pool: &Pool, which: &ReconcileScope) -> Result<(Vec<ReconcileTarget>, Vec<String>), sqlx::Error> {
    let mut targets = trip_lookup::targets(pool, which).await?;
    for target in &mut targets {
        // What the application wrote into a session need be no resource.
        target.resources.retain(|id| is_resource(id));
    }
    let mut keys: Vec<String> = targets.iter().flat_map(|target| target.resources.clone()).collect();
    keys.sort();
    keys.dedup();
    Ok((targets, keys))
}

fn is_resource(id: &str) -> bool {
    ResourceId::parse(id).ok().and_then(|id| Resource::by_id(&id)).is_some()
}

/// How many jobs are still to be done, of those that the run asked for and of what follows from them.
pub async fn left(pool: &Pool, run: ReconcileRun) -> Result<i64, sqlx::Error> {
    admin::live_in_run(pool, JobKind::Reconcile, run.id).await
}

/// What has become of the run's jobs, in order of time.
pub async fn finished(pool: &Pool, run: ReconcileRun) -> Result<Vec<FinishedJob>, sqlx::Error> {
    admin::finished_in_run(pool, run.id, run.since).await
}
