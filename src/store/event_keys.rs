//! Event keys: which full events have been applied.

use std::collections::HashMap;

use uuid::Uuid;

use crate::postgres::transaction::Transaction;

/// An event id on its way into the table.
#[derive(Debug, Clone)]
pub struct EventKey {
    /// `eventId`.
    pub event_id: String,
    /// The delivery that brought it.
    pub delivery_id: Uuid,
    /// SHA-256 of the delivery's body.
    pub body_sha256: [u8; 32],
}

/// The delivery that was first with an event id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstDelivery {
    /// Which delivery.
    pub delivery_id: Uuid,
    /// SHA-256 of its body: another body under the same id is flagged.
    pub body_sha256: Vec<u8>,
}

/// Enters event ids, sorted; those that were there before come back with the delivery that was first.
///
/// A key that another transaction has just entered is waited for, so of two racing deliveries one is the duplicate.
pub async fn enter(tx: &mut Transaction<'_>, keys: &[EventKey]) -> Result<HashMap<String, FirstDelivery>, sqlx::Error> {
    let mut sorted: Vec<&EventKey> = keys.iter().collect();
    sorted.sort_by(|left, right| left.event_id.cmp(&right.event_id));
    let ids: Vec<String> = sorted.iter().map(|key| key.event_id.clone()).collect();
    let deliveries: Vec<Uuid> = sorted.iter().map(|key| key.delivery_id).collect();
    let digests: Vec<Vec<u8>> = sorted.iter().map(|key| key.body_sha256.to_vec()).collect();
    let entered = sqlx::query_scalar!(
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
    if entered.len() == ids.len() {
        return Ok(HashMap::new());
    }
    let known: Vec<String> = ids.into_iter().filter(|id| !entered.contains(id)).collect();
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
