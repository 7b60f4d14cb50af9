//! Lists and counts jobs, for an admin.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::job_state::JobState;
use crate::job_kind::JobKind;
use ingest_postgres::interval::interval;
use ingest_postgres::transaction::Pool;

/// A live or dead job.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[schema(as = Job)]
pub struct JobView {
    pub id: i64,
    /// A row of another version may have a kind that this one does not know.
    pub kind: String,
    pub state: JobState,
    pub key: Option<String>,
    pub delivery_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    /// The time of its next claim, the end of its lease, or the time of its death.
    pub due_at: DateTime<Utc>,
    pub attempts: i32,
    /// Isolated runs that ended with their worker.
    pub crashes: i32,
    pub leased_by: Option<String>,
    /// Why it is dead, why it does not run, or its last failure.
    pub reason: Option<String>,
    /// Its last failures, oldest first.
    pub history: Vec<String>,
}

/// A position in the list of jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobPosition {
    /// Dead jobs come first.
    pub is_dead: bool,
    pub due_at: DateTime<Utc>,
    pub id: i64,
}

impl JobView {
    pub fn position(&self) -> JobPosition {
        JobPosition {
            is_dead: self.state == JobState::Dead,
            due_at: self.due_at,
            id: self.id,
        }
    }
}

/// Selects jobs to list.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// Only these.
    pub ids: Option<Vec<i64>>,
    /// Inserted at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Inserted before this time.
    pub until: Option<DateTime<Utc>>,
    /// In the key, the reason or a failure, in any case.
    pub text: Option<String>,
    /// In the reason, in any case.
    pub reason: Option<String>,
    /// Only jobs after this position.
    pub after: Option<JobPosition>,
    /// Lists by id.
    pub by_id: bool,
    /// Only jobs with a higher id.
    pub after_id: Option<i64>,
    pub state: Option<JobState>,
    pub kind: Option<String>,
    /// The outcome of its delivery, as the list of deliveries has it; its own without a delivery. `queued`: a job of the delivery is not done.
    pub outcome: Option<String>,
    pub limit: i64,
    /// Leaves timers out that wait for their time.
    pub hides_timers: bool,
    /// Kinds that do not run at present.
    pub blocked: BlockedKinds,
}

/// Kinds of jobs that do not run at present, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockedKinds {
    pub kinds: Vec<JobKind>,
    pub reason: String,
}

/// Lists jobs: dead ones first, then in the order in which they are due; or by id.
pub async fn list(pool: &Pool, filter: &JobFilter) -> Result<Vec<JobView>, sqlx::Error> {
    let statement = sqlx::query_as!(
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
        WHERE ($1::bigint[] IS NULL OR id = ANY ($1))
            AND ($2::text IS NULL OR state = $2)
            AND ($3::text IS NULL OR kind = $3)
            AND NOT ($7 AND kind = ANY ($8) AND state = 'scheduled')
            AND ($9::timestamptz IS NULL OR created_at >= $9)
            AND ($10::timestamptz IS NULL OR created_at < $10)
            AND ($11::text IS NULL
                OR strpos(lower(concat_ws(' ', key, reason, array_to_string(history, ' '))), lower($11)) > 0)
            AND ($12::integer IS NULL OR (place, due_at, id) > ($12, $13::timestamptz, $14::bigint))
            AND ($15::text IS NULL OR strpos(lower(reason), lower($15)) > 0)
            AND ($16::bigint IS NULL OR id > $16)
            AND ($18::text IS NULL OR $18 = CASE
                WHEN place = 1 OR delivery_id IN (SELECT live.delivery_id FROM avinode_ingest.jobs AS live WHERE live.delivery_id IS NOT NULL)
                    THEN 'queued'
                ELSE coalesce((
                    SELECT outcome.outcome FROM avinode_ingest.outcomes AS outcome
                    WHERE outcome.delivery_id = job.delivery_id
                    -- The rule of the list of deliveries: `applied` stays after a replay without new facts.
                    ORDER BY (outcome.outcome = 'applied' AND (
                        SELECT newest.outcome FROM avinode_ingest.outcomes AS newest WHERE newest.delivery_id = outcome.delivery_id
                        ORDER BY newest.job_id DESC LIMIT 1
                    ) IN ('nothing', 'ignored')) DESC, outcome.job_id DESC
                    LIMIT 1
                ), 'dead')
            END)
        ORDER BY CASE WHEN $17 THEN 0 ELSE place END, CASE WHEN NOT $17 THEN due_at END, id
        LIMIT $4
        "#,
        filter.ids.as_deref(),
        filter.state.map(JobState::as_str),
        filter.kind,
        filter.limit,
        &words(&filter.blocked.kinds) as &[&str],
        filter.blocked.reason,
        filter.hides_timers,
        &words(&JobKind::TIMERS) as &[&str],
        filter.since,
        filter.until,
        filter.text,
        filter.after.map(|after| i32::from(!after.is_dead)),
        filter.after.map(|after| after.due_at),
        filter.after.map(|after| after.id),
        filter.reason,
        filter.after_id,
        filter.by_id,
        filter.outcome,
    );
    pool.fetch_all(statement).await
}

/// Returns the ids of dead jobs, of one kind or all.
pub async fn dead_ids(pool: &Pool, kind: Option<&str>) -> Result<Vec<i64>, sqlx::Error> {
    let statement = sqlx::query!(
        "SELECT id FROM avinode_ingest.dead_jobs WHERE $1::text IS NULL OR kind = $1 ORDER BY id",
        kind
    );
    let rows = pool.fetch_all(statement).await?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Counts the jobs that run now or soon, without the blocked kinds. Of the `soon` kinds it counts those due within that time
/// as well, even if they were never tried.
pub async fn count_runnable(
    pool: &Pool,
    blocked: &[JobKind],
    soon: &[JobKind],
    within: Duration,
) -> Result<i64, sqlx::Error> {
    let statement = sqlx::query!(
        r#"
        SELECT count(*) AS "count!" FROM avinode_ingest.jobs
        WHERE NOT kind = ANY ($1)
            -- Retries count, and so do jobs that wait for another job without counting an attempt; a job that was never
            -- tried and is due in the future does not. Contention delays a job for some milliseconds.
            AND (due_at <= clock_timestamp() + interval '100 milliseconds' OR lease_token IS NOT NULL OR attempts > 0
                OR cardinality(history) > 0 OR kind = ANY ($2) AND due_at <= clock_timestamp() + $3::interval)
        "#,
        &words(blocked) as &[&str],
        &words(soon) as &[&str],
        interval(within),
    );
    Ok(pool.fetch_one(statement).await?.count)
}

/// Counts the due jobs of these kinds that no worker has claimed, up to `max`.
pub async fn count_due(pool: &Pool, kinds: &[JobKind], max: i64) -> Result<i64, sqlx::Error> {
    let statement = sqlx::query!(
        r#"
        SELECT count(*) AS "count!"
        FROM (
            SELECT FROM avinode_ingest.jobs
            WHERE kind = ANY ($1) AND due_at <= statement_timestamp() AND lease_token IS NULL
            LIMIT $2
        ) AS due
        "#,
        &words(kinds) as &[&str],
        max,
    );
    Ok(pool.fetch_one(statement).await?.count)
}

/// Counts the jobs of these kinds, and the dead jobs. The statement is unnamed, because `check` works behind any pooler.
pub async fn count_live_and_dead(pool: &Pool, kinds: &[JobKind]) -> Result<(i64, i64), sqlx::Error> {
    let mut tx = pool.begin().await?;
    let counts = sqlx::query_as(
        r#"
        SELECT (SELECT count(*) FROM avinode_ingest.jobs WHERE kind = ANY ($1)),
            (SELECT count(*) FROM avinode_ingest.dead_jobs)
        "#,
    )
    .bind(words(kinds))
    .persistent(false)
    .fetch_one(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(counts)
}

pub(super) fn words(kinds: &[JobKind]) -> Vec<&'static str> {
    kinds.iter().map(|kind| kind.as_str()).collect()
}
