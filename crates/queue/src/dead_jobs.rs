//! Dead jobs: their reasons, for alerts, and their retention.

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
