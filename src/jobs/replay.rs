//! Replays stored deliveries: each gets a new job, past the event keys, so that an upgrade can understand what an older
//! version could not. Facts and ledger make that idempotent.

use std::time::Duration;

use uuid::Uuid;

use crate::avinode::notification::classify;
use crate::ingest::insert::DeliveryJob;
use crate::postgres::transaction::Pool;
use crate::queue::enqueue::{self, InsertOptions, NewJob};
use crate::queue::job_kind::JobKind;
use crate::store::deliveries;

/// Inserts jobs for deliveries, oldest first. Returns the ids that exist and are not redacted.
pub async fn replay(pool: &Pool, ids: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    let mut tx = pool.begin().await?;
    let stored = deliveries::read_and_lock(&mut tx, ids).await?;
    let readable = stored.values().filter(|delivery| !delivery.is_redacted);
    let mut found: Vec<Uuid> = readable.map(|delivery| delivery.id).collect();
    found.sort();
    let job = |id: &Uuid| {
        let delivery = classify(&stored[id].body);
        let DeliveryJob { kind, key, batch_key } = DeliveryJob::of(&delivery);
        NewJob {
            kind: match kind {
                JobKind::FullEvent => JobKind::EventReplay,
                other => other,
            },
            key: key.map(str::to_owned),
            batch_key: batch_key.map(str::to_owned),
            delivery_id: Some(*id),
            due_in: Duration::ZERO,
        }
    };
    let jobs: Vec<NewJob> = found.iter().map(job).collect();
    enqueue::insert(&mut tx, &jobs, InsertOptions::default()).await?;
    tx.commit().await?;
    Ok(found)
}
