//! Fetches the trips of sessions again, to find what missed notifications left out: Avinode gives up a webhook after 48
//! hours. The jobs are the least urgent fetches, and subject to the rate limit like all others.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, Utc};
use rand::seq::SliceRandom;
use uuid::Uuid;

use super::fetch::speculative;
use crate::avinode::resource::Resource;
use crate::domain::ids::ResourceId;
use crate::postgres::transaction::Pool;
use crate::queue::bounded;
use crate::queue::enqueue::{self, InsertOptions, NewJob, RunOption, UniqueOptions};
use crate::queue::job_kind::JobKind;
use crate::queue::runs::{self, FinishedJob};
use crate::store::trip_lookup::{self, ReconcileScope, ReconcileTarget};

#[derive(Debug, Clone)]
pub struct ReconcilePlan {
    /// The trips, and the resources to fetch of each.
    pub targets: Vec<ReconcileTarget>,
    /// Jobs that were inserted; the other resources had a job already.
    pub queued: u64,
}

/// A command that waits for its jobs: they and their outcomes have its id.
#[derive(Debug, Clone, Copy)]
pub struct ReconcileRun {
    id: Uuid,
    /// By the database's clock, before any job was inserted.
    since: DateTime<Utc>,
}

/// Inserts the jobs of all active sessions, as maintenance does by itself. Of the resources that Avinode has not shown, because only
/// sessions name them, as many as the bounds on speculative fetches allow, others each time.
pub async fn enqueue_active(pool: &Pool) -> Result<ReconcilePlan, sqlx::Error> {
    let targets = targets(pool, &ReconcileScope::Active).await?;
    let agents: BTreeMap<&String, Option<Uuid>> = targets
        .iter()
        .flat_map(|target| target.resources.iter().map(|key| (key, target.agent)))
        .collect();
    let keys: Vec<String> = agents.keys().map(|key| (*key).clone()).collect();
    let mut tx = pool.begin().await?;
    let shown: HashSet<String> = trip_lookup::shown_resources(&mut tx, &keys)
        .await?
        .into_iter()
        .collect();
    let (shown, mut others): (Vec<NewJob>, Vec<NewJob>) = agents
        .iter()
        .map(|(key, agent)| NewJob {
            batch_key: agent.filter(|_| !shown.contains(*key)).map(|agent| agent.to_string()),
            ..NewJob::new(JobKind::Reconcile, *key)
        })
        .partition(|job| job.batch_key.is_none());
    others.shuffle(&mut rand::rng());
    let unique = InsertOptions::unique(UniqueOptions::LIVE);
    let mut queued = enqueue::insert(&mut tx, &shown, unique).await?;
    let inserted = bounded::insert(&mut tx, JobKind::Reconcile, &others, &[], speculative::BOUNDS).await?;
    queued += inserted.inserted;
    tx.commit().await?;
    if !inserted.left_out.is_empty() {
        tracing::info!(
            left_out = inserted.left_out.len(),
            "{} resources that only sessions name are left for a later reconciliation",
            inserted.left_out.len()
        );
    }
    Ok(ReconcilePlan { targets, queued })
}

/// Inserts the jobs of a scope.
pub async fn enqueue(pool: &Pool, scope: &ReconcileScope) -> Result<ReconcilePlan, sqlx::Error> {
    insert(pool, scope, InsertOptions::unique(UniqueOptions::LIVE)).await
}

/// Inserts the jobs of a scope, to wait for them.
pub async fn begin_run(pool: &Pool, scope: &ReconcileScope) -> Result<(ReconcilePlan, ReconcileRun), sqlx::Error> {
    let run = ReconcileRun {
        id: Uuid::now_v7(),
        since: runs::now(pool).await?,
    };
    let plan = insert(pool, scope, InsertOptions::runs(RunOption::Join(run.id))).await?;
    Ok((plan, run))
}

async fn insert(pool: &Pool, scope: &ReconcileScope, options: InsertOptions<'_>) -> Result<ReconcilePlan, sqlx::Error> {
    let targets = targets(pool, scope).await?;
    let mut keys: Vec<&String> = targets.iter().flat_map(|target| &target.resources).collect();
    keys.sort();
    keys.dedup();
    let jobs: Vec<NewJob> = keys
        .into_iter()
        .map(|key| NewJob::new(JobKind::Reconcile, key))
        .collect();
    let mut tx = pool.begin().await?;
    let queued = enqueue::insert(&mut tx, &jobs, options).await?;
    tx.commit().await?;
    Ok(ReconcilePlan { targets, queued })
}

async fn targets(pool: &Pool, scope: &ReconcileScope) -> Result<Vec<ReconcileTarget>, sqlx::Error> {
    let mut targets = trip_lookup::reconcile_targets(pool, scope).await?;
    for target in &mut targets {
        // The application may have written anything into a session.
        target.resources.retain(|id| is_resource(id));
    }
    Ok(targets)
}

fn is_resource(id: &str) -> bool {
    ResourceId::parse(id).ok().and_then(|id| Resource::by_id(&id)).is_some()
}

/// Counts the jobs that the run still waits for: its own, and those that follow from them.
pub async fn count_live(pool: &Pool, run: ReconcileRun) -> Result<i64, sqlx::Error> {
    runs::count_live(pool, JobKind::Reconcile, run.id).await
}

/// Returns the finished jobs of the run, in order of time.
pub async fn finished(pool: &Pool, run: ReconcileRun) -> Result<Vec<FinishedJob>, sqlx::Error> {
    runs::finished(pool, run.id, run.since).await
}
