//! Counts of jobs by kind and state, for gauges and the operator API.

use chrono::{DateTime, Utc};
use ingest_postgres::transaction::Pool;

/// Live jobs of a kind and state.
#[derive(Debug, Clone, PartialEq)]
pub struct JobCensus {
    pub kind: String,
    /// As [`crate::job_state::JobState`] spells it.
    pub state: String,
    pub jobs: i64,
    /// Seconds for which the oldest one has been due, if no worker handles it.
    pub oldest_due: f64,
    /// The earliest time at which one of them is due, or the end of its lease.
    pub oldest_due_at: DateTime<Utc>,
}

/// Reads all live jobs once.
pub async fn read(pool: &Pool) -> Result<Vec<JobCensus>, sqlx::Error> {
    let statement = sqlx::query_as!(
        JobCensus,
        r#"
        SELECT kind AS "kind!", state AS "state!", count(*) AS "jobs!",
            coalesce(max(extract(epoch FROM clock_timestamp() - due_at)) FILTER (WHERE state = 'available'), 0)::float8 AS "oldest_due!",
            min(due_at) AS "oldest_due_at!"
        FROM (
            SELECT kind, due_at,
                CASE
                    WHEN lease_token IS NOT NULL AND due_at > clock_timestamp() THEN 'running'
                    WHEN due_at <= clock_timestamp() THEN 'available'
                    WHEN attempts = 0 AND history = '{}' THEN 'scheduled'
                    ELSE 'retryable'
                END AS state
            FROM avinode_ingest.jobs
        ) AS job
        GROUP BY kind, state
        "#
    );
    pool.fetch_all(statement).await
}

/// Dead-lettered jobs of a kind.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadCensus {
    pub kind: String,
    pub jobs: i64,
    /// The time at which the first of them died.
    pub oldest_at: DateTime<Utc>,
}

/// Dead-lettered jobs by kind.
pub async fn read_dead(pool: &Pool) -> Result<Vec<DeadCensus>, sqlx::Error> {
    let statement = sqlx::query_as!(
        DeadCensus,
        r#"
        SELECT kind, count(*) AS "jobs!", min(died_at) AS "oldest_at!"
        FROM avinode_ingest.dead_jobs
        GROUP BY kind
        "#
    );
    pool.fetch_all(statement).await
}

/// The job that has been due for the longest time.
#[derive(Debug, Clone, PartialEq)]
pub struct OldestDueJob {
    pub id: i64,
    pub kind: String,
    pub due_at: DateTime<Utc>,
    /// The database's clock.
    pub now: DateTime<Utc>,
}

/// Returns the job that has been due for the longest time, if no worker handles it.
pub async fn oldest_due(pool: &Pool) -> Result<Option<OldestDueJob>, sqlx::Error> {
    let statement = sqlx::query_as!(
        OldestDueJob,
        r#"
        SELECT id, kind, due_at, clock_timestamp() AS "now!"
        FROM avinode_ingest.jobs
        WHERE due_at <= clock_timestamp()
        ORDER BY due_at, id
        LIMIT 1
        "#
    );
    Ok(pool.fetch_all(statement).await?.pop())
}

/// Jobs of a kind that failed and will run again, with their last failure.
#[derive(Debug, Clone, PartialEq)]
pub struct FailedJobs {
    pub kind: String,
    /// The beginning of the failure.
    pub reason: String,
    pub jobs: i64,
}

/// Returns the last failures of the jobs that failed and will run again, of at most ten thousand of them.
pub async fn failures(pool: &Pool) -> Result<Vec<FailedJobs>, sqlx::Error> {
    let statement = sqlx::query_as!(
        FailedJobs,
        r#"
        SELECT kind AS "kind!", reason AS "reason!", count(*) AS "jobs!"
        FROM (
            SELECT kind, left(history[cardinality(history)], 300) AS reason
            FROM avinode_ingest.jobs
            WHERE attempts > 0 AND cardinality(history) > 0
            LIMIT 10000
        ) AS failed
        GROUP BY kind, reason
        "#
    );
    pool.fetch_all(statement).await
}
