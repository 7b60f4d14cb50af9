//! Dead jobs: their reasons, for alerts and the operator API, and their retention.

use std::time::Duration;

use chrono::{DateTime, Utc};

use ingest_postgres::prune_step;
use ingest_postgres::prune_step::PruneStep;
use ingest_postgres::transaction::Pool;

/// Deletes jobs that have been dead for longer than `retention`, in one step that begins at the time `from`.
pub async fn prune(pool: &Pool, retention: Duration, from: Option<DateTime<Utc>>) -> Result<PruneStep, sqlx::Error> {
    prune_step!(pool, "avinode_ingest.dead_jobs", "died_at", "true", retention, from).await
}

/// A kind of dead jobs with their reason.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadReason {
    pub kind: String,
    /// The beginning of the reason.
    pub reason: String,
    pub jobs: i64,
}

/// Returns the reasons of the jobs that died since then, of the newest ten thousand of them.
pub async fn reasons(pool: &Pool, since: DateTime<Utc>) -> Result<Vec<DeadReason>, sqlx::Error> {
    let statement = sqlx::query_as!(
        DeadReason,
        r#"
        SELECT kind, reason AS "reason!", count(*) AS "jobs!"
        FROM (
            SELECT kind, left(reason, 300) AS reason
            FROM avinode_ingest.dead_jobs
            WHERE died_at >= $1
            ORDER BY died_at DESC
            LIMIT 10000
        ) AS dead
        GROUP BY kind, reason
        "#,
        since,
    );
    pool.fetch_all(statement).await
}

/// Dead jobs of a kind with the same reason.
#[derive(Debug, Clone, PartialEq)]
pub struct DeadJobs {
    pub kind: String,
    /// The beginning of the reason.
    pub reason: String,
    pub jobs: i64,
    pub oldest_at: DateTime<Utc>,
    pub newest_at: DateTime<Utc>,
    /// The highest id of these jobs.
    pub last_job: i64,
}

/// The most dead jobs that are grouped by reason.
pub const GROUPED: i64 = 10_000;

/// Groups the newest [`GROUPED`] dead jobs.
pub async fn groups(pool: &Pool) -> Result<Vec<DeadJobs>, sqlx::Error> {
    let statement = sqlx::query_as!(
        DeadJobs,
        r#"
        SELECT kind, reason AS "reason!", count(*) AS "jobs!", min(died_at) AS "oldest_at!", max(died_at) AS "newest_at!",
            max(id) AS "last_job!"
        FROM (
            SELECT id, kind, left(reason, 300) AS reason, died_at
            FROM avinode_ingest.dead_jobs
            ORDER BY died_at DESC
            LIMIT $1
        ) AS dead
        GROUP BY kind, reason
        "#,
        GROUPED,
    );
    pool.fetch_all(statement).await
}
