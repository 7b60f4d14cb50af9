//! Counts of jobs by kind, state and reason, for an admin.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::admin::BlockedKinds;
use ingest_postgres::transaction::Pool;

/// Groups that are read at most: reasons may name ids, and then each job has its own.
const MAX_GROUPS: i64 = 1000;

/// Jobs of one kind and state with the same reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct JobGroup {
    pub kind: String,
    /// As [`crate::job_state::JobState`] spells it.
    pub state: String,
    /// Why they are dead, why they do not run, or their last failure.
    pub reason: Option<String>,
    pub jobs: i64,
    /// The earliest time at which one of them was due, or died.
    pub oldest_due: DateTime<Utc>,
}

/// Reads all live and dead jobs once. The groups of dead jobs come first, then the largest ones.
///
/// The statement is not checked when the program is built, as that of `check`.
pub async fn read(pool: &Pool, blocked: &BlockedKinds) -> Result<Vec<JobGroup>, sqlx::Error> {
    let kinds: Vec<&str> = blocked.kinds.iter().map(|kind| kind.as_str()).collect();
    let mut tx = pool.begin().await?;
    let groups = sqlx::query_as::<_, JobGroup>(
        r"
        SELECT kind, state, reason, count(*) AS jobs, min(due_at) AS oldest_due
        FROM (
            SELECT kind, 'dead' AS state, left(reason, 500) AS reason, died_at AS due_at
            FROM avinode_ingest.dead_jobs
            UNION ALL
            SELECT kind,
                CASE
                    WHEN lease_token IS NOT NULL AND due_at > clock_timestamp() THEN 'running'
                    WHEN due_at <= clock_timestamp() THEN 'available'
                    WHEN attempts = 0 AND history = '{}' THEN 'scheduled'
                    ELSE 'retryable'
                END,
                CASE WHEN kind = ANY ($1) THEN $2 ELSE left(history[cardinality(history)], 500) END,
                due_at
            FROM avinode_ingest.jobs
        ) AS job
        GROUP BY kind, state, reason
        ORDER BY state <> 'dead', count(*) DESC, kind, state, reason
        LIMIT $3
        ",
    )
    .bind(kinds)
    .bind(&blocked.reason)
    .bind(MAX_GROUPS)
    .persistent(false)
    .fetch_all(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(groups)
}
