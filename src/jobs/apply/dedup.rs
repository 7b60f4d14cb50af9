//! Enters the event keys of a batch: an event is a duplicate if its key was entered before.

use std::collections::{BTreeMap, BTreeSet};

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
    let mut keys: BTreeMap<String, EventKey> = BTreeMap::new();
    for key in works.iter().filter_map(|work| work.event_key()) {
        keys.entry(key.event_id.clone()).or_insert_with(|| key.clone());
    }
    let known = event_keys::insert(tx, &keys).await?;
    let mut entered: BTreeSet<&str> = BTreeSet::new();
    let mut fresh = Vec::with_capacity(works.len());
    for work in works {
        let Some(key) = work.event_key() else {
            fresh.push(*work);
            continue;
        };
        let first = match (known.get(&key.event_id), keys.get_key_value(&key.event_id)) {
            (Some(first), _) => first,
            (None, Some((event_id, first))) if !entered.insert(event_id) => first,
            (None, _) => {
                fresh.push(*work);
                continue;
            }
        };
        let mut detail = format!("duplicate of delivery {}", first.delivery_id);
        if first.body_sha256 == key.body_sha256 {
            changes.duplicates.push((*work).clone());
        } else {
            detail.push_str(", with another body");
            changes.other_bodies += 1;
        }
        changes.outcomes.push(JobOutcome::new(work.job.id, "duplicate", detail));
    }
    Ok(fresh)
}
