//! The table `rejected_requests`: a bounded sample of the requests that receiving refused.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::postgres::columns::column;
use crate::postgres::transaction::Pool;

/// The most rows of one hour, so that a flood of requests does not fill the table, nor remove the rows of the hours before.
const ROWS_PER_HOUR: i64 = 200;
/// Rows that one write deletes at most.
const PRUNED_ROWS: i64 = 1_000;

/// A refused request. Of a body there are the digest and the length only.
#[derive(Debug, Clone)]
pub struct RejectedRequest {
    /// Of the body, or, if it was not read, of the reason and the hour.
    pub digest: [u8; 32],
    pub at: DateTime<Utc>,
    pub reason: &'static str,
    pub body_bytes: Option<i32>,
    /// Requests with this digest.
    pub times: i64,
}

/// Stores refused requests with distinct digests, and deletes those of more than seven days ago.
pub async fn record(pool: &Pool, requests: &[RejectedRequest]) -> Result<(), sqlx::Error> {
    let statement = sqlx::query!(
        r#"
        WITH request AS (
            SELECT * FROM unnest($1::bytea[], $2::timestamptz[], $3::text[], $4::integer[], $5::bigint[])
                AS request (digest, at, reason, body_bytes, times)
        ), repeated AS (
            UPDATE avinode_ingest.rejected_requests AS known
            SET last_at = greatest(known.last_at, request.at), reason = request.reason, times = known.times + request.times
            FROM request
            WHERE known.digest = request.digest
            RETURNING known.digest
        ), expired AS (
            DELETE FROM avinode_ingest.rejected_requests
            WHERE digest = ANY (ARRAY(
                SELECT digest FROM avinode_ingest.rejected_requests
                WHERE last_at < clock_timestamp() - interval '7 days'
                ORDER BY last_at
                LIMIT $7
            ))
        )
        INSERT INTO avinode_ingest.rejected_requests (digest, first_at, last_at, times, reason, body_bytes)
        SELECT digest, at, at, times, reason, body_bytes
        FROM request
        WHERE digest NOT IN (SELECT digest FROM repeated)
        ORDER BY digest
        LIMIT greatest(0, $6 - (
            SELECT count(*) FROM avinode_ingest.rejected_requests WHERE last_at >= date_trunc('hour', clock_timestamp())
        ))
        -- Of another process, at the same time.
        ON CONFLICT (digest) DO NOTHING
        "#,
        &column(requests, |request| &request.digest[..]) as &[&[u8]],
        &column(requests, |request| request.at),
        &column(requests, |request| request.reason) as &[&str],
        &column(requests, |request| request.body_bytes) as &[Option<i32>],
        &column(requests, |request| request.times),
        ROWS_PER_HOUR,
        PRUNED_ROWS,
    );
    pool.execute(statement).await.map(drop)
}

/// Refused requests of one reason, as an admin sees them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RejectionSummary {
    pub reason: String,
    pub first_at: DateTime<Utc>,
    pub last_at: DateTime<Utc>,
    pub times: i64,
}

/// Returns the refused requests of the last seven days by reason, the last first.
pub async fn by_reason(pool: &Pool) -> Result<Vec<RejectionSummary>, sqlx::Error> {
    let query = sqlx::query_as!(
        RejectionSummary,
        r#"
        SELECT reason, min(first_at) AS "first_at!", max(last_at) AS "last_at!", sum(times)::bigint AS "times!"
        FROM avinode_ingest.rejected_requests
        WHERE last_at > clock_timestamp() - interval '7 days'
        GROUP BY reason
        ORDER BY 3 DESC
        "#,
    );
    pool.fetch_all(query).await
}
