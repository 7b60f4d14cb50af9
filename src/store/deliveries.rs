//! The table `deliveries`, as the workers read it. It is partitioned by the month in its ids ([`partitions`]).

pub mod partitions;
pub mod rates;

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::postgres::prune_step;
use crate::postgres::prune_step::PruneStep;
use crate::postgres::transaction::{Pool, Transaction};

#[derive(Debug, Clone)]
pub struct StoredDelivery {
    pub id: Uuid,
    pub received_at: DateTime<Utc>,
    /// Exactly as received, unless it was redacted.
    pub body: Vec<u8>,
    /// The body is no event and no notification any more.
    pub is_redacted: bool,
}

/// Reads deliveries by id. Locks only the partitions that have them.
pub async fn read(tx: &mut Transaction<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, StoredDelivery>, sqlx::Error> {
    let rows = sqlx::query_as!(
        StoredDelivery,
        r#"
        SELECT delivery.id AS "id!", delivery.received_at AS "received_at!", delivery.body AS "body!",
            EXISTS (SELECT FROM avinode_ingest.redactions WHERE delivery_id = delivery.id) AS "is_redacted!"
        FROM avinode_ingest.read_deliveries($1) AS delivery
        "#,
        ids
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Reads deliveries by id, and prevents their deletion until the transaction ends.
pub async fn read_and_lock(
    tx: &mut Transaction<'_>,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, StoredDelivery>, sqlx::Error> {
    // A plan for any ids prunes partitions by the range, and not by the list.
    let (lowest, highest) = range(ids);
    let rows = sqlx::query_as!(
        StoredDelivery,
        r#"
        SELECT id, received_at, body,
            EXISTS (SELECT FROM avinode_ingest.redactions WHERE delivery_id = delivery.id) AS "is_redacted!"
        FROM avinode_ingest.deliveries AS delivery
        WHERE id = ANY ($1) AND id BETWEEN $2 AND $3
        ORDER BY id
        FOR KEY SHARE OF delivery
        "#,
        ids,
        lowest,
        highest,
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Returns the header `traceparent` of the deliveries that came with one.
pub async fn traceparents(pool: &Pool, ids: &[Uuid]) -> Result<HashMap<Uuid, String>, sqlx::Error> {
    let (lowest, highest) = range(ids);
    let statement = sqlx::query!(
        r#"
        SELECT id, substring(headers FROM '(?n)^traceparent: (.*)$') AS "traceparent!"
        FROM avinode_ingest.deliveries
        WHERE id = ANY ($1) AND id BETWEEN $2 AND $3 AND headers ~ '(?n)^traceparent: '
        "#,
        ids,
        lowest,
        highest,
    );
    let rows = pool.fetch_all(statement).await?;
    Ok(rows.into_iter().map(|row| (row.id, row.traceparent)).collect())
}

/// Returns the deliveries among these that were redacted.
pub async fn redacted(pool: &Pool, ids: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    let query = sqlx::query!(
        "SELECT delivery_id FROM avinode_ingest.redactions WHERE delivery_id = ANY ($1) ORDER BY delivery_id",
        ids
    );
    pool.fetch_all(query.map(|row| row.delivery_id)).await
}

/// Deletes the digests of deliveries that were redacted longer than `retention` ago, in one step that begins at the time `from`. Those of
/// stored deliveries stay: without them their bodies would be parsed again.
pub async fn prune_redactions(
    pool: &Pool,
    retention: Duration,
    from: Option<DateTime<Utc>>,
) -> Result<PruneStep, sqlx::Error> {
    prune_step!(
        pool,
        "avinode_ingest.redactions",
        "redacted_at",
        "NOT EXISTS (SELECT FROM avinode_ingest.deliveries AS delivery WHERE delivery.id = delivery_id)",
        retention,
        from
    )
    .await
}

/// The lowest and the highest id; the same, nil, without any.
pub(super) fn range(ids: &[Uuid]) -> (Uuid, Uuid) {
    let lowest = ids.iter().min().copied().unwrap_or_default();
    (lowest, ids.iter().max().copied().unwrap_or_default())
}

/// Returns the time of the newest delivery, by its id.
pub async fn newest(pool: &Pool) -> Result<Option<DateTime<Utc>>, sqlx::Error> {
    let query = sqlx::query!("SELECT received_at FROM avinode_ingest.deliveries ORDER BY id DESC LIMIT 1");
    Ok(pool.fetch_all(query).await?.pop().map(|row| row.received_at))
}

/// The most deliveries that [`count_since`] counts.
pub const COUNTED: i64 = 100_000;

/// Counts the deliveries received since this time, at most [`COUNTED`]: their ids hold the time.
pub async fn count_since(pool: &Pool, since: DateTime<Utc>) -> Result<i64, sqlx::Error> {
    let query = sqlx::query!(
        r#"
        SELECT count(*) AS "count!"
        FROM (
            SELECT FROM avinode_ingest.deliveries WHERE id >= avinode_ingest.uuid_of_time($1) LIMIT $2
        ) AS received
        "#,
        since,
        COUNTED,
    );
    Ok(pool.fetch_one(query).await?.count)
}
