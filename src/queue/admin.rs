//! What an operator sees and mends: live and dead jobs, retried or discarded.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::job_state::JobState;
use crate::domain::job_kind::JobKind;
use crate::postgres::interval::interval;
use crate::postgres::transaction::Pool;

/// A job, live or dead, as an operator sees it.
#[derive(Debug, Clone, Serialize)]
pub struct JobView {
    /// `jobs.id`.
    pub id: i64,
    /// Which handler it is for.
    pub kind: String,
    pub state: JobState,
    /// What it is about.
    pub key: Option<String>,
    /// The delivery it came with.
    pub delivery_id: Option<Uuid>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// When it may next be claimed, when its lease runs out, or when it died.
    pub due_at: DateTime<Utc>,
    /// Attempts that counted.
    pub attempts: i32,
    /// Lone runs that ended with their worker.
    pub crashes: i32,
    /// Who runs it.
    pub leased_by: Option<String>,
    /// Why it died, or its last failure, or what it waits for.
    pub reason: Option<String>,
    /// Its last failures, oldest first.
    pub history: Vec<String>,
}

/// Which jobs to list.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// One job.
    pub id: Option<i64>,
    /// Only in this state.
    pub state: Option<JobState>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// At most this many.
    pub limit: i64,
    /// Kinds that nothing serves: they wait until something does.
    pub unserved: Vec<JobKind>,
    /// Why nothing does.
    pub because: String,
}

/// Lists jobs, dead ones first, then by when they are due.
pub async fn list(pool: &Pool, filter: &JobFilter) -> Result<Vec<JobView>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let jobs = sqlx::query_as!(
        JobView,
        r#"
        SELECT id AS "id!", kind AS "kind!", state AS "state!: _", key, delivery_id, created_at AS "created_at!",
            due_at AS "due_at!", attempts AS "attempts!", crashes AS "crashes!", leased_by, reason,
            history AS "history!"
        FROM (
            SELECT id, kind, 'dead' AS state, key, delivery_id, created_at, died_at AS due_at, attempts, crashes,
                NULL AS leased_by, reason, history, 0 AS place
            FROM avinode_ingest.dead_jobs
            UNION ALL
            SELECT id, kind,
                CASE
                    WHEN lease_token IS NOT NULL AND due_at > clock_timestamp() THEN 'running'
                    WHEN due_at <= clock_timestamp() THEN 'available'
                    -- A snooze counts no attempt and leaves a note.
                    WHEN attempts = 0 AND history = '{}' THEN 'scheduled'
                    ELSE 'retryable'
                END,
                key, delivery_id, created_at, due_at, attempts, crashes, leased_by,
                CASE WHEN kind = ANY ($5) THEN $6 ELSE history[cardinality(history)] END,
                history, 1
            FROM avinode_ingest.jobs
        ) AS job
        WHERE ($1::bigint IS NULL OR id = $1)
            AND ($2::text IS NULL OR state = $2)
            AND ($3::text IS NULL OR kind = $3)
        ORDER BY place, due_at, id
        LIMIT $4
        "#,
        filter.id,
        filter.state.map(JobState::as_str),
        filter.kind,
        filter.limit,
        &words(&filter.unserved) as &[&str],
        filter.because,
    )
    .fetch_all(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(jobs)
}

/// The ids of dead jobs, of one kind or all.
pub async fn dead(pool: &Pool, kind: Option<&str>) -> Result<Vec<i64>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let ids = sqlx::query_scalar!(
        "SELECT id FROM avinode_ingest.dead_jobs WHERE $1::text IS NULL OR kind = $1 ORDER BY id",
        kind
    )
    .fetch_all(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(ids)
}

/// How the line begins with which a life ends in the history of a job that came back to another.
pub const DIED: &str = "died: ";

/// Makes jobs due now: dead ones come back to life, with their history, as if queued now, and their attempts forgotten;
/// waiting ones need wait no longer. Running ones are left alone. Returns the ids that were moved.
pub async fn retry(pool: &Pool, ids: &[i64]) -> Result<Vec<i64>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let mut moved = sqlx::query_scalar!(
        r#"
        WITH raised AS (
            DELETE FROM avinode_ingest.dead_jobs WHERE id = ANY ($1) RETURNING *
        )
        INSERT INTO avinode_ingest.jobs (id, kind, key, delivery_id, history)
        SELECT id, kind, key, delivery_id,
            (history || ($2::text || reason))[greatest(1, cardinality(history) - 8):]
        FROM raised
        ORDER BY id
        RETURNING id
        "#,
        ids,
        DIED,
    )
    .fetch_all(&mut tx)
    .await?;
    moved.extend(
        sqlx::query_scalar!(
            r#"
            UPDATE avinode_ingest.jobs SET due_at = clock_timestamp()
            WHERE id = ANY ($1) AND lease_token IS NULL AND due_at > clock_timestamp()
            RETURNING id
            "#,
            ids
        )
        .fetch_all(&mut tx)
        .await?,
    );
    tx.commit().await?;
    moved.sort_unstable();
    Ok(moved)
}

/// Takes dead and waiting jobs out for good; their outcome says so. Running ones are left alone. Returns the ids.
pub async fn discard(pool: &Pool, ids: &[i64]) -> Result<Vec<i64>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let discarded = sqlx::query_scalar!(
        r#"
        WITH dead AS (
            DELETE FROM avinode_ingest.dead_jobs WHERE id = ANY ($1)
            RETURNING id, kind, key, delivery_id, created_at, attempts, NULL::uuid[] AS runs
        ), live AS (
            DELETE FROM avinode_ingest.jobs WHERE id = ANY ($1) AND lease_token IS NULL
            RETURNING id, kind, key, delivery_id, created_at, attempts, runs
        )
        INSERT INTO avinode_ingest.outcomes
            (job_id, kind, key, delivery_id, created_at, attempts, outcome, detail, runs)
        SELECT id, kind, key, delivery_id, created_at, attempts, 'discarded', 'by an operator', runs
        FROM (SELECT * FROM dead UNION ALL SELECT * FROM live) AS job
        ORDER BY id
        ON CONFLICT (job_id) DO UPDATE
        SET finished_at = clock_timestamp(), outcome = EXCLUDED.outcome, detail = EXCLUDED.detail
        RETURNING job_id
        "#,
        ids
    )
    .fetch_all(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(discarded)
}

/// How many jobs could be worked on right now or are being worked on, apart from kinds that nothing serves.
pub async fn runnable(pool: &Pool, unserved: &[JobKind]) -> Result<i64, sqlx::Error> {
    runnable_soon(pool, unserved, &[], Duration::ZERO).await
}

/// Likewise, and of the kinds in `soon` those that are due within so long as well, though for the first time.
pub async fn runnable_soon(
    pool: &Pool,
    unserved: &[JobKind],
    soon: &[JobKind],
    within: Duration,
) -> Result<i64, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let count = sqlx::query_scalar!(
        r#"
        SELECT count(*) AS "count!" FROM avinode_ingest.jobs
        WHERE NOT kind = ANY ($1)
            -- A retry is to come by itself, and so is what waits for another job and counts no attempt; a job that is due in
            -- the future for the first time is not. What met a lock is put back for some milliseconds.
            AND (due_at <= clock_timestamp() + interval '100 milliseconds' OR lease_token IS NOT NULL OR attempts > 0
                OR cardinality(history) > 0 OR kind = ANY ($2) AND due_at <= clock_timestamp() + $3::interval)
        "#,
        &words(unserved) as &[&str],
        &words(soon) as &[&str],
        interval(within),
    )
    .fetch_one(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(count)
}

/// How many jobs wait for something that serves their kind, and how many are dead.
///
/// Unnamed, unlike the others: `check` asks behind any pooler.
pub async fn left(pool: &Pool, unserved: &[JobKind]) -> Result<(i64, i64), sqlx::Error> {
    let mut tx = pool.begin().await?;
    let left = sqlx::query_as(
        r#"
        SELECT (SELECT count(*) FROM avinode_ingest.jobs WHERE kind = ANY ($1)),
            (SELECT count(*) FROM avinode_ingest.dead_jobs)
        "#,
    )
    .bind(words(unserved))
    .persistent(false)
    .fetch_one(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(left)
}

fn words(kinds: &[JobKind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.as_str()).collect()
}

/// A finished job, as an operator sees it.
#[derive(Debug, Clone, Serialize)]
pub struct FinishedJob {
    /// Which handler it was for.
    pub kind: String,
    /// What it was about.
    pub key: Option<String>,
    /// `applied`, `nothing`, `duplicate`, `gone`, `dead` or `discarded`.
    pub outcome: String,
    /// What it changed, or why it did not.
    pub detail: Option<String>,
}

/// The time by the database's clock.
pub async fn now(pool: &Pool) -> Result<DateTime<Utc>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let now = sqlx::query_scalar!(r#"SELECT clock_timestamp() AS "now!""#)
        .fetch_one(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(now)
}

/// How many jobs of a kind are live that a run waits for.
pub async fn live_in_run(pool: &Pool, kind: JobKind, run: Uuid) -> Result<i64, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let count = sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM avinode_ingest.jobs WHERE kind = $1 AND $2 = ANY (runs)"#,
        kind.as_str(),
        run,
    )
    .fetch_one(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(count)
}

/// What has become of the jobs of a run that began then, in order of time.
pub async fn finished_in_run(pool: &Pool, run: Uuid, since: DateTime<Utc>) -> Result<Vec<FinishedJob>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let finished = sqlx::query_as!(
        FinishedJob,
        r#"
        SELECT kind, key, outcome, detail
        FROM avinode_ingest.outcomes
        WHERE finished_at >= $2 AND $1 = ANY (runs)
        ORDER BY finished_at, job_id
        "#,
        run,
        since,
    )
    .fetch_all(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(finished)
}
