//! Jobs finished per minute, and the time that they took.

use chrono::{DateTime, Utc};

use super::job_kind::JobKind;
use ingest_postgres::transaction::Transaction;

/// The first jobs that finished in a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FinishedMinute {
    /// From 0.
    pub number: i32,
    /// Of all kinds, with any outcome.
    pub finished: i64,
    /// The time at which the last one that was counted finished.
    pub last_at: Option<DateTime<Utc>>,
    /// Of the given kinds, with the outcome `applied`.
    pub applied: i64,
    /// Seconds from the insertion of an applied job to its end: half of them took at most this long.
    pub median: Option<f64>,
    /// The same of 95 in 100.
    pub percentile95: Option<f64>,
}

/// Counts the jobs that finished in each of `minutes` minutes from a time on, up to `most` in a minute.
pub async fn per_minute(
    tx: &mut Transaction<'_>,
    from: DateTime<Utc>,
    minutes: i32,
    most: i64,
    applied: &[JobKind],
) -> Result<Vec<FinishedMinute>, sqlx::Error> {
    let applied: Vec<&str> = applied.iter().map(|kind| kind.as_str()).collect();
    sqlx::query_as!(
        FinishedMinute,
        r#"
        SELECT minute.number AS "number!", counted.finished AS "finished!", counted.last_at, counted.applied AS "applied!",
            counted.median, counted.percentile95
        FROM generate_series(0, $2::integer - 1) AS minute (number)
        CROSS JOIN LATERAL (
            SELECT count(*) AS finished, max(finished_at) AS last_at, count(*) FILTER (WHERE is_applied) AS applied,
                percentile_cont(0.5) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE is_applied) AS median,
                percentile_cont(0.95) WITHIN GROUP (ORDER BY seconds) FILTER (WHERE is_applied) AS percentile95
            FROM (
                SELECT finished_at, outcome = 'applied' AND kind = ANY ($4) AS is_applied,
                    extract(epoch FROM finished_at - created_at)::float8 AS seconds
                FROM avinode_ingest.outcomes
                WHERE finished_at >= $1::timestamptz + minute.number * interval '1 minute'
                    AND finished_at < $1::timestamptz + (minute.number + 1) * interval '1 minute'
                ORDER BY finished_at
                LIMIT $3
            ) AS first
        ) AS counted
        ORDER BY minute.number
        "#,
        from,
        minutes,
        most,
        &applied as &[&str],
    )
    .fetch_all(tx)
    .await
}
