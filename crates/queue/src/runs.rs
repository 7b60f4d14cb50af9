//! Runs: commands that wait for the jobs they inserted, and for the jobs of the same kind that follow from those.

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::job_kind::JobKind;
use ingest_postgres::transaction::Pool;

/// A finished job, for people.
#[derive(Debug, Clone, Serialize)]
pub struct FinishedJob {
    pub kind: String,
    pub key: Option<String>,
    /// `applied`, `nothing`, `duplicate`, `gone`, `dead` or `discarded`.
    pub outcome: String,
    /// The changes, or the reason for none.
    pub detail: Option<String>,
}

/// Reads the database's clock.
pub async fn now(pool: &Pool) -> Result<DateTime<Utc>, sqlx::Error> {
    let row = pool
        .fetch_one(sqlx::query!(r#"SELECT clock_timestamp() AS "now!""#))
        .await?;
    Ok(row.now)
}

/// Counts the jobs of a kind that a run still waits for.
pub async fn count_live(pool: &Pool, kind: JobKind, run: Uuid) -> Result<i64, sqlx::Error> {
    let statement = sqlx::query!(
        r#"SELECT count(*) AS "count!" FROM avinode_ingest.jobs WHERE kind = $1 AND $2 = ANY (runs)"#,
        kind.as_str(),
        run,
    );
    Ok(pool.fetch_one(statement).await?.count)
}

/// Returns the finished jobs of a run, in order of time. `since`: when it began.
pub async fn finished(pool: &Pool, run: Uuid, since: DateTime<Utc>) -> Result<Vec<FinishedJob>, sqlx::Error> {
    let statement = sqlx::query_as!(
        FinishedJob,
        r#"
        SELECT kind, key, outcome, detail
        FROM avinode_ingest.outcomes
        WHERE finished_at >= $2 AND $1 = ANY (runs)
        ORDER BY finished_at, job_id
        "#,
        run,
        since,
    );
    pool.fetch_all(statement).await
}
