//! Finds the trip of a document that does not name one.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::follow_up;
use super::request::FetchRequest;
use crate::avinode::documents::ParsedDocument;
use crate::avinode::resource::{Resource, ResourceKind};
use crate::domain::ids::{QuoteId, RfqId, TripId};
use crate::jobs::kinds;
use crate::postgres::transaction::Pool;
use crate::queue::enqueue::{self, InsertOptions};
use crate::queue::job::JobError;
use crate::queue::job_kind::JobKind;
use crate::store::{documents as stored_documents, trip_lookup};

/// A document that names no trip waits this long for facts after its RFQ was fetched, perhaps too early.
const WAIT_AFTER_RFQ: Duration = Duration::from_secs(600);
/// It waits this long for an RFQ that cannot be fetched: a little longer than a missing RFQ is retried.
const WAIT_FOR_RFQ: Duration = Duration::from_secs(40 * 60);

/// Returns the trip that the document names, or its notification, or that facts know for its RFQ or quote. `fetched_at`: by
/// the database's clock, before the document's GET began. `Ok(None)`: the document has no event that needs a trip; the inner
/// error: the trip is not known, or not yet.
pub(super) async fn trip_of(
    pool: &Pool,
    request: &FetchRequest,
    resource: &Resource,
    parsed: &ParsedDocument,
    fetched_at: DateTime<Utc>,
) -> Result<Result<Option<TripId>, JobError>, JobError> {
    if let Some(trip) = parsed.trip_ids.first().or(request.trip.as_ref()) {
        return Ok(Ok(Some(trip.clone())));
    }
    if parsed.events.is_empty() {
        return Ok(Ok(None));
    }
    let (rfq, quote) = (parsed.rfq.as_ref(), parsed.quote.as_ref());
    let mut tx = pool.begin().await?;
    let found = trip_lookup::trips_of(&mut tx, rfq.map(RfqId::as_str), quote.map(QuoteId::as_str)).await?;
    if let [trip] = &found[..]
        && let Ok(trip) = TripId::parse(trip)
    {
        return Ok(Ok(Some(trip)));
    }
    let why = match found.len() {
        0 => "no fact knows its RFQ or quote",
        _ => "facts know its RFQ or quote under several trips",
    };
    let lost = JobError::fail(format!("{resource} names no trip, and {why}"));
    let since = |moment: DateTime<Utc>| (request.claimed_at - moment).to_std().unwrap_or_default();
    let Some(missing) = follow_up::rfq_with_trip(resource, parsed) else {
        // Nothing leads to the trip of a lone quote but its message, whose notification may come later.
        let is_lone_quote = resource.kind == ResourceKind::Quotes && found.is_empty();
        let waits = is_lone_quote && since(fetched_at) < WAIT_FOR_RFQ;
        let reason = format!("{resource} names no trip, waiting for a message or an RFQ that does");
        return Ok(Err(match waits {
            true => JobError::snooze(reason, wait(since(request.newest().max(fetched_at)))),
            false => lost,
        }));
    };
    // Documents that wait for one RFQ share its fetch, after which facts know their trip. The waits count from the fetch of
    // each of the two, however long it took until anything could be fetched.
    let key = missing.id.as_str();
    let waiting = enqueue::keys_with_jobs(&mut tx, &JobKind::FETCHING, &[key.to_owned()]).await?;
    if waiting.is_empty() {
        let newest = stored_documents::newest(&mut tx, key).await?;
        match newest
            .map(|newest| newest.requested_at)
            .filter(|newest| *newest >= fetched_at)
        {
            Some(newest) if since(newest) >= WAIT_AFTER_RFQ => return Ok(Err(lost)),
            Some(_) => {}
            None if since(fetched_at) >= WAIT_FOR_RFQ => return Ok(Err(lost)),
            None => {
                let job = kinds::follow_up(&missing, Duration::ZERO);
                enqueue::insert(&mut tx, &[job], InsertOptions::default()).await?;
            }
        }
    }
    tx.commit().await?;
    let reason = format!("{resource} names no trip, {missing} is fetched first");
    Ok(Err(JobError::snooze(
        reason,
        wait(since(request.newest().max(fetched_at))),
    )))
}

/// The time until a document that has waited for this long is looked at again.
fn wait(age: Duration) -> Duration {
    (age / 2).clamp(Duration::from_millis(500), Duration::from_secs(60))
}
