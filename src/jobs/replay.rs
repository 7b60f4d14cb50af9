//! Stored replay: a new job for an existing delivery, past the event keys, so that an upgrade can understand what an
//! older version could not. Idempotence comes from facts and ledger.

use std::time::Duration;

use uuid::Uuid;

use crate::avinode::notification::{DeliveryKind, route};
use crate::domain::job_kind::JobKind;
use crate::postgres::transaction::Pool;
use crate::queue::enqueue::{self, InsertOptions, NewJob};
use crate::store::deliveries;

/// Queues deliveries again, oldest first. Returns the ids that exist.
pub async fn replay(pool: &Pool, ids: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let stored = deliveries::read(&mut tx, ids).await?;
    let mut found: Vec<Uuid> = stored.keys().copied().collect();
    found.sort();
    let jobs: Vec<NewJob> = found
        .iter()
        .map(|id| {
            let (kind, key) = match route(&stored[id].body) {
                DeliveryKind::Full => (JobKind::EventReplay, None),
                DeliveryKind::Thin { key } => (JobKind::FetchNotified, Some(key.as_str().to_owned())),
                DeliveryKind::Unknown => (JobKind::UnknownFormat, None),
            };
            NewJob {
                kind,
                key,
                delivery_id: Some(*id),
                due_in: Duration::ZERO,
            }
        })
        .collect();
    enqueue::insert(&mut tx, &jobs, InsertOptions::default()).await?;
    tx.commit().await?;
    Ok(found)
}
