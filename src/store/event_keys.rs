//! The table `event_keys`: the ids of the full events that were applied.

use std::collections::HashMap;

use uuid::Uuid;

use crate::postgres::transaction::Transaction;

#[derive(Debug, Clone)]
pub struct EventKey {
    /// `eventId`.
    pub event_id: String,
    pub delivery_id: Uuid,
    /// SHA-256 of the delivery's body.
    pub body_sha256: [u8; 32],
}

/// The first delivery of an event id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstDelivery {
    pub delivery_id: Uuid,
    /// SHA-256 of its body: another body with the same id is logged.
    pub body_sha256: Vec<u8>,
}

/// Inserts event ids, sorted. Returns the known ones with their first delivery.
///
/// The statement waits for a key that another transaction has just inserted, so one of two racing deliveries is the
/// duplicate.
pub async fn insert(
    tx: &mut Transaction<'_>,
    keys: &[EventKey],
) -> Result<HashMap<String, FirstDelivery>, sqlx::Error> {
    let mut sorted: Vec<&EventKey> = keys.iter().collect();
    sorted.sort_by(|left, right| left.event_id.cmp(&right.event_id));
    let ids: Vec<String> = sorted.iter().map(|key| key.event_id.clone()).collect();
    let deliveries: Vec<Uuid> = sorted.iter().map(|key| key.delivery_id).collect();
    let digests: Vec<Vec<u8>> = sorted.iter().map(|key| key.body_sha256.to_vec()).collect();
    let inserted = sqlx::query_scalar!(
        r#"
        INSERT INTO avinode_ingest.event_keys (event_id, delivery_id, body_sha256)
        SELECT event_id, delivery_id, body_sha256
        FROM unnest($1::text[], $2::uuid[], $3::bytea[]) AS new (event_id, delivery_id, body_sha256)
        ORDER BY event_id
        ON CONFLICT (event_id) DO NOTHING
        RETURNING event_id
        "#,
        &ids,
        &deliveries,
        &digests,
    )
    .fetch_all(&mut *tx)
    .await?;
    if inserted.len() == ids.len() {
        return Ok(HashMap::new());
    }
    let known: Vec<String> = ids.into_iter().filter(|id| !inserted.contains(id)).collect();
    let rows = sqlx::query!(
        "SELECT event_id, delivery_id, body_sha256 FROM avinode_ingest.event_keys WHERE event_id = ANY ($1)",
        &known
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| {
            (
                row.event_id,
                FirstDelivery {
                    delivery_id: row.delivery_id,
                    body_sha256: row.body_sha256,
                },
            )
        })
        .collect())
}
