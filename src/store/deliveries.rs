//! The table `deliveries`, as the workers read it. It is partitioned by the month in its ids ([`partitions`]).

pub mod partitions;

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::postgres::transaction::Transaction;

#[derive(Debug, Clone)]
pub struct StoredDelivery {
    pub id: Uuid,
    pub received_at: DateTime<Utc>,
    /// Exactly as received.
    pub body: Vec<u8>,
}

/// Reads deliveries by id. Locks only the partitions that have them.
pub async fn read(tx: &mut Transaction<'_>, ids: &[Uuid]) -> Result<HashMap<Uuid, StoredDelivery>, sqlx::Error> {
    let rows = sqlx::query_as!(
        StoredDelivery,
        r#"SELECT id AS "id!", received_at AS "received_at!", body AS "body!" FROM avinode_ingest.read_deliveries($1)"#,
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
        SELECT id, received_at, body
        FROM avinode_ingest.deliveries
        WHERE id = ANY ($1) AND id BETWEEN $2 AND $3
        ORDER BY id
        FOR KEY SHARE
        "#,
        ids,
        lowest,
        highest,
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// The lowest and the highest id; the same, nil, without any.
fn range(ids: &[Uuid]) -> (Uuid, Uuid) {
    let lowest = ids.iter().min().copied().unwrap_or_default();
    (lowest, ids.iter().max().copied().unwrap_or_default())
}
