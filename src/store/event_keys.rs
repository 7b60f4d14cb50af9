//! The table `event_keys`: the ids of the full events that were applied.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::postgres::columns::column;
use crate::postgres::prune_step;
use crate::postgres::prune_step::PruneStep;
use crate::postgres::transaction::{Pool, Transaction};

/// An event id, and its first delivery.
#[derive(Debug, Clone)]
pub struct EventKey {
    /// `eventId`.
    pub event_id: String,
    pub delivery_id: Uuid,
    /// SHA-256 of the delivery's body: other bodies with the same id are counted in the log.
    pub body_sha256: Vec<u8>,
}

/// Inserts event ids. Returns the known ones.
///
/// The statement waits for a key that another transaction has just inserted, so one of two racing deliveries is the
/// duplicate.
pub async fn insert(
    tx: &mut Transaction<'_>,
    keys: &BTreeMap<String, EventKey>,
) -> Result<BTreeMap<String, EventKey>, sqlx::Error> {
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let inserted = sqlx::query_scalar!(
        r#"
        INSERT INTO avinode_ingest.event_keys (event_id, delivery_id, body_sha256)
        SELECT event_id, delivery_id, body_sha256
        FROM unnest($1::text[], $2::uuid[], $3::bytea[]) AS new (event_id, delivery_id, body_sha256)
        ORDER BY event_id
        ON CONFLICT (event_id) DO NOTHING
        RETURNING event_id
        "#,
        &column(keys.keys(), String::as_str) as &[&str],
        &column(keys.values(), |key| key.delivery_id),
        &column(keys.values(), |key| &key.body_sha256[..]) as &[&[u8]],
    )
    .fetch_all(&mut *tx)
    .await?;
    if inserted.len() == keys.len() {
        return Ok(BTreeMap::new());
    }
    let known: Vec<String> = keys.keys().filter(|id| !inserted.contains(id)).cloned().collect();
    let known = sqlx::query_as!(
        EventKey,
        "SELECT event_id, delivery_id, body_sha256 FROM avinode_ingest.event_keys WHERE event_id = ANY ($1)",
        &known
    )
    .fetch_all(tx)
    .await?;
    if inserted.len() + known.len() != keys.len() {
        // Applied without a key, its duplicate would be applied again.
        return Err(sqlx::Error::Protocol(
            "an event key was deleted while it was inserted".to_owned(),
        ));
    }
    Ok(known.into_iter().map(|key| (key.event_id.clone(), key)).collect())
}

/// Deletes event keys that are older than `retention`, in one step that begins at the time `from`.
pub async fn prune(pool: &Pool, retention: Duration, from: Option<DateTime<Utc>>) -> Result<PruneStep, sqlx::Error> {
    prune_step!(pool, "avinode_ingest.event_keys", "applied_at", "true", retention, from).await
}
