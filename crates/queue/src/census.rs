//! Counts of jobs by kind and state, for gauges.

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
}

/// Reads all live jobs once.
pub async fn read(pool: &Pool) -> Result<Vec<JobCensus>, sqlx::Error> {
    let statement = sqlx::query_as!(
        JobCensus,
        r#"
        SELECT kind AS "kind!", state AS "state!", count(*) AS "jobs!",
            coalesce(max(extract(epoch FROM clock_timestamp() - due_at)) FILTER (WHERE state = 'available'), 0)::float8 AS "oldest_due!"
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

/// Dead-lettered jobs by kind.
pub async fn read_dead(pool: &Pool) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let statement = sqlx::query!(r#"SELECT kind, count(*) AS "jobs!" FROM avinode_ingest.dead_jobs GROUP BY kind"#);
    let rows = pool.fetch_all(statement).await?;
    Ok(rows.into_iter().map(|row| (row.kind, row.jobs)).collect())
}
