//! Enters the event keys of a batch: an event is a duplicate if its key was entered before.

use std::collections::BTreeMap;

use super::facts::BatchChanges;
use crate::jobs::work::ClaimedWork;
use crate::postgres::transaction::Transaction;
use crate::queue::job::JobError;
use crate::queue::outcomes::JobOutcome;
use crate::store::event_keys::{self, EventKey};

/// Returns the work that is no duplicate. Duplicates get their outcome here.
pub(super) async fn enter<'a>(
    tx: &mut Transaction<'_>,
    works: &[&'a ClaimedWork],
    changes: &mut BatchChanges,
) -> Result<Vec<&'a ClaimedWork>, JobError> {
    let mut first_in_batch: BTreeMap<&str, EventKey> = BTreeMap::new();
    for work in works {
        if let (Some(event_id), Some(delivery_id), Some(body_sha256)) = work.event_key() {
            first_in_batch.entry(event_id).or_insert_with(|| EventKey {
                event_id: event_id.to_owned(),
                delivery_id,
                body_sha256,
            });
        }
    }
    let keys: Vec<EventKey> = first_in_batch.into_values().collect();
    let known = if keys.is_empty() {
        Default::default()
    } else {
        event_keys::insert(tx, &keys).await?
    };
    let mut entered: BTreeMap<&str, &EventKey> = keys
        .iter()
        .filter(|key| !known.contains_key(&key.event_id))
        .map(|key| (key.event_id.as_str(), key))
        .collect();
    let mut applied_here: BTreeMap<&str, &EventKey> = BTreeMap::new();
    let mut fresh = Vec::with_capacity(works.len());
    for work in works {
        let (Some(event_id), _, Some(body)) = work.event_key() else {
            fresh.push(*work);
            continue;
        };
        let (delivery, digest) = match (
            entered.remove(event_id),
            applied_here.get(event_id),
            known.get(event_id),
        ) {
            (Some(key), _, _) => {
                applied_here.insert(event_id, key);
                fresh.push(*work);
                continue;
            }
            (None, Some(key), _) => (key.delivery_id, key.body_sha256.to_vec()),
            (None, None, Some(first)) => (first.delivery_id, first.body_sha256.clone()),
            (None, None, None) => return Err(JobError::retry("an event key was deleted while it was entered")),
        };
        let mut detail = format!("duplicate of delivery {delivery}");
        if digest == body {
            changes.duplicates.extend(work.as_duplicate());
        } else {
            detail.push_str(", with another body");
            tracing::info!(
                event = event_id,
                first_delivery = %delivery,
                delivery = work.job.delivery_id.map(tracing::field::display),
                "event {event_id} was received again with another body, the first of delivery {delivery} counts"
            );
        }
        changes.outcomes.push(JobOutcome {
            job: work.job.id,
            outcome: "duplicate",
            detail,
        });
    }
    Ok(fresh)
}
