//! The preview of a replay: the sessions that it would change. Each step applies deliveries by the code of the workers in a transaction
//! that is rolled back, so locks are held as briefly as by a worker.
//!
//! The deliveries of a trip are in one step. What thin notifications would change is not known before their resources are fetched.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::batches::error::BatchError;
use super::selection::DeliverySelection;
use crate::jobs::apply::JobApplier;
use crate::jobs::apply::preview::PreviewedDeliveries;
use crate::jobs::replay;
use crate::queue::job::JobError;
use crate::queue::job_kind::JobKind;
use crate::store::deliveries;

/// Deliveries of a step, and of a page that is read.
const DELIVERIES_PER_STEP: usize = 500;
/// A trip with more deliveries is in several steps.
const MAX_DELIVERIES_PER_STEP: usize = 2_000;
/// The longest pause between two steps.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// The pause before a step is tried again that found a lock taken.
const BUSY_PAUSE: Duration = Duration::from_millis(50);
/// The tries of a step that needs a lock.
const BUSY_TRIES: u32 = 200;

/// Deliveries by the trip that they name.
type ByTrip = BTreeMap<Option<String>, Vec<Uuid>>;

/// The preview of a replay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    pub selected: usize,
    /// Redacted or deleted: there is nothing to process.
    pub unusable: usize,
    /// Sessions that would change.
    pub sessions: BTreeSet<Uuid>,
    /// Thin notifications: their resources would be fetched, and may change sessions as well.
    pub fetched: usize,
    /// Deliveries that would be dead-lettered.
    pub unreadable: usize,
    /// Deliveries that could not be applied in the preview: the database refused them.
    pub undecided: usize,
}

/// Previews the replay of the selected deliveries, at most `limit`. `goes_on` is called after each step with what is known so far;
/// `None` if it returned false.
///
/// # Errors
/// The database failed. Nothing was changed, as ever.
pub async fn run(
    applier: &JobApplier,
    selection: &DeliverySelection,
    limit: i64,
    goes_on: &(dyn Fn(&Preview) -> bool + Sync),
) -> Result<Option<Preview>, BatchError> {
    let mut preview = Preview::default();
    let Some(trips) = by_trip(applier, selection, limit, &mut preview, goes_on).await? else {
        return Ok(None);
    };
    for step in steps(trips) {
        let began = Instant::now();
        preview_step(applier, &step, &mut preview).await?;
        if !goes_on(&preview) {
            return Ok(None);
        }
        sleep(began.elapsed().min(MAX_PAUSE)).await;
    }
    Ok(Some(preview))
}

/// Reads the selected deliveries, counts those that are not applied, and groups the others by trip.
async fn by_trip(
    applier: &JobApplier,
    selection: &DeliverySelection,
    limit: i64,
    preview: &mut Preview,
    goes_on: &(dyn Fn(&Preview) -> bool + Sync),
) -> Result<Option<ByTrip>, BatchError> {
    let pool = &applier.pool;
    let mut trips = ByTrip::new();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut before = None;
    while preview.selected < limit {
        let rows = DELIVERIES_PER_STEP.min(limit - preview.selected);
        let (ids, next) = selection
            .ids(pool, before, i64::try_from(rows).unwrap_or(i64::MAX))
            .await?;
        let mut tx = pool.begin().await?;
        let stored = deliveries::read(&mut tx, &ids).await?;
        tx.commit().await?;
        preview.selected += ids.len();
        preview.unusable += ids.len() - stored.len();
        for delivery in stored.into_values() {
            if delivery.is_redacted {
                preview.unusable += 1;
                continue;
            }
            let job = replay::job(delivery.id, &delivery.body);
            match job.kind {
                JobKind::EventReplay => trips.entry(job.batch_key).or_default().push(delivery.id),
                JobKind::FetchNotified => preview.fetched += 1,
                _ => preview.unreadable += 1,
            }
        }
        if !goes_on(preview) {
            return Ok(None);
        }
        before = next;
        if before.is_none() {
            break;
        }
    }
    Ok(Some(trips))
}

/// Puts whole trips into steps.
fn steps(trips: ByTrip) -> Vec<Vec<Uuid>> {
    let mut steps: Vec<Vec<Uuid>> = Vec::new();
    for (trip, ids) in trips {
        let size = match trip {
            Some(_) => MAX_DELIVERIES_PER_STEP,
            None => DELIVERIES_PER_STEP,
        };
        for ids in ids.chunks(size) {
            match steps.last_mut() {
                Some(step) if step.len() + ids.len() <= DELIVERIES_PER_STEP => step.extend(ids),
                _ => steps.push(ids.to_vec()),
            }
        }
    }
    steps
}

/// Previews a step; one that the database refuses is previewed in parts, as a worker does it.
async fn preview_step(applier: &JobApplier, ids: &[Uuid], preview: &mut Preview) -> Result<(), BatchError> {
    let mut parts = vec![ids.to_vec()];
    while let Some(ids) = parts.pop() {
        match with_locks(applier, &ids).await {
            Ok(previewed) => {
                preview.sessions.extend(previewed.sessions);
                preview.unreadable += previewed.unreadable;
            }
            Err(error @ (JobError::Contention(_) | JobError::Snooze { .. })) => return Err(error.into()),
            Err(_) if ids.len() == 1 => preview.undecided += 1,
            Err(_) => parts.extend(ids.chunks(ids.len().div_ceil(8)).map(<[Uuid]>::to_vec)),
        }
    }
    Ok(())
}

/// Tries a step until the locks that it needs are free.
async fn with_locks(applier: &JobApplier, ids: &[Uuid]) -> Result<PreviewedDeliveries, JobError> {
    let mut tries = 1;
    loop {
        match applier.preview(ids).await {
            Err(JobError::Contention(_)) if tries < BUSY_TRIES => {
                tries += 1;
                sleep(BUSY_PAUSE).await;
            }
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests;
