//! Deliveries received per minute. Their ids hold the time, so their primary key counts them.

use chrono::{DateTime, Utc};

use crate::postgres::transaction::Transaction;

/// The settings of a transaction for the counts by minutes. The rows of a minute are read in the order of the index, up to a limit: a bitmap
/// or a sort would read all of them.
pub const BY_INDEX: &str =
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off; ";

/// The first deliveries of a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceivedMinute {
    /// From 0.
    pub number: i32,
    pub deliveries: i64,
    /// The time at which the last one that was counted was received, to the millisecond.
    pub last_at: Option<DateTime<Utc>>,
}

/// Counts the deliveries of each of `minutes` minutes from a time on, up to `most` in a minute.
pub async fn per_minute(
    tx: &mut Transaction<'_>,
    from: DateTime<Utc>,
    minutes: i32,
    most: i64,
) -> Result<Vec<ReceivedMinute>, sqlx::Error> {
    sqlx::query_as!(
        ReceivedMinute,
        r#"
        SELECT minute.number AS "number!", counted.deliveries AS "deliveries!", avinode_ingest.time_of_uuid(counted.last_id::uuid) AS last_at
        FROM generate_series(0, $2::integer - 1) AS minute (number)
        CROSS JOIN LATERAL (
            -- Postgres has no max(uuid) before version 18.
            SELECT count(*) AS deliveries, max(first.id::text COLLATE "C") AS last_id
            FROM (
                SELECT id FROM avinode_ingest.deliveries
                WHERE id >= avinode_ingest.uuid_of_time($1::timestamptz + minute.number * interval '1 minute')
                    AND id < avinode_ingest.uuid_of_time($1::timestamptz + (minute.number + 1) * interval '1 minute')
                ORDER BY id
                LIMIT $3
            ) AS first
        ) AS counted
        ORDER BY minute.number
        "#,
        from,
        minutes,
        most,
    )
    .fetch_all(tx)
    .await
}
