//! Replays stored deliveries: each gets a new job, past the event keys, so that an upgrade can understand what an older
//! version could not. Facts and ledger make that idempotent.

use std::time::Duration;

use uuid::Uuid;

use crate::avinode::notification::classify;
use crate::domain::actor::Acting;
use crate::ingest::insert::DeliveryJob;
use crate::postgres::transaction::Transaction;
use crate::queue::enqueue::{self, InsertOptions, NewJob};
use crate::queue::job_kind::JobKind;
use crate::store::deliveries;

/// Inserts jobs for deliveries, oldest first; their outcomes will name who acts. Returns the ids that exist and are not redacted.
pub async fn replay(tx: &mut Transaction<'_>, ids: &[Uuid], acting: &Acting) -> Result<Vec<Uuid>, sqlx::Error> {
    let stored = deliveries::read_and_lock(tx, ids).await?;
    let readable = stored.values().filter(|delivery| !delivery.is_redacted);
    let mut found: Vec<Uuid> = readable.map(|delivery| delivery.id).collect();
    found.sort();
    let jobs: Vec<NewJob> = found.iter().map(|id| job(*id, &stored[id].body)).collect();
    let action = format!("replayed {acting}");
    let options = InsertOptions {
        admin_action: Some(&action),
        ..InsertOptions::default()
    };
    enqueue::insert(tx, &jobs, options).await?;
    Ok(found)
}

/// The job that processes a delivery again.
pub fn job(delivery: Uuid, body: &[u8]) -> NewJob {
    let content = classify(body);
    let DeliveryJob { kind, key, batch_key } = DeliveryJob::of(&content);
    NewJob {
        kind: match kind {
            JobKind::FullEvent => JobKind::EventReplay,
            other => other,
        },
        key: key.map(str::to_owned),
        batch_key: batch_key.map(str::to_owned),
        delivery_id: Some(delivery),
        due_in: Duration::ZERO,
    }
}
