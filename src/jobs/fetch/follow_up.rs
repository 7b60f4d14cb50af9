//! The fetches that follow from a document: resources that it leaves out, resources below it while reconciling, and the
//! same resource again if it may have been fetched too early.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::RngExt;

use super::request::FetchRequest;
use crate::avinode::documents::ParsedDocument;
use crate::avinode::resource::{Resource, ResourceKind};
use crate::domain::ids::{ResourceId, TripId};
use crate::jobs::kinds;
use crate::postgres::transaction::Transaction;
use crate::queue::enqueue::{self, NewJob};
use crate::queue::handler::UnfinishedJobs;
use crate::queue::job::{ClaimedJob, JobError};
use crate::queue::job_kind::JobKind;
use crate::store::{documents, trip_lookup};

/// Upper bound of the debounce, as a multiple of the API lag.
const MAX_DEBOUNCE: u32 = 3;
/// Usually the RFQ's own notification comes within this time, and one fetch serves both.
const WAIT_FOR_NOTIFICATION: Duration = Duration::from_secs(20);

fn is_notified(job: &&ClaimedJob) -> bool {
    job.kind == JobKind::FetchNotified
}

/// Returns how long to wait before a resource is fetched again that was fetched a moment ago: until no notification has come
/// for the API lag. So a burst of notifications makes two fetches: one immediately, and one that sees all of it.
pub(super) fn debounce(
    fetched_at: Option<DateTime<Utc>>,
    jobs: &[ClaimedJob],
    now: DateTime<Utc>,
    api_lag: Duration,
) -> Option<Duration> {
    let fetched_at = fetched_at?;
    let notified = || jobs.iter().filter(is_notified).map(|job| job.created_at);
    if notified().min()? > fetched_at + api_lag {
        return None;
    }
    let until = (notified().max()? + api_lag).min(fetched_at + api_lag * MAX_DEBOUNCE);
    (until - now).to_std().ok().filter(|wait| !wait.is_zero())
}

/// Returns whether a document may be older than a notification that it serves, or than the one that caused its fetch: it was
/// requested within the API lag after it. What it shows is no answer: it may be new and older than the last change. Its second
/// fetch comes after the API lag, so that is not too early.
pub(super) fn is_too_early(jobs: &[ClaimedJob], fetched_at: DateTime<Utc>, api_lag: Duration) -> bool {
    let is_fresh = |job: &ClaimedJob| job.created_at + api_lag > fetched_at;
    let of_kind = |kind: JobKind| jobs.iter().filter(move |job| job.kind == kind);
    match of_kind(JobKind::FetchNotified).next() {
        Some(_) => of_kind(JobKind::FetchNotified).any(is_fresh),
        None => of_kind(JobKind::FetchFollowUp).any(is_fresh),
    }
}

/// The second fetch of a resource, spread so that resources fetched together are not fetched together again.
pub(super) fn second_fetch(resource: &Resource, api_lag: Duration) -> NewJob {
    kinds::follow_up(resource, api_lag.mul_f64(rand::rng().random_range(1.05..1.5)))
}

/// Returns the request without second fetches before their time, and those. While other jobs wait for another resource, they
/// would claim a second fetch along again and again. `stored_at`: the newest document's request, after which it was inserted.
pub(super) fn without_early_second_fetches(
    request: &FetchRequest,
    stored_at: DateTime<Utc>,
    api_lag: Duration,
) -> (FetchRequest, UnfinishedJobs) {
    let wait = |job: &ClaimedJob| {
        let is_second = job.kind == JobKind::FetchFollowUp && job.created_at >= stored_at;
        let wait = (job.created_at + api_lag - request.claimed_at).to_std().ok();
        wait.filter(|wait| is_second && !wait.is_zero())
    };
    let early = request.jobs.iter().filter_map(|job| {
        let snooze = JobError::snooze("a second fetch, after the API lag", wait(job)?);
        Some((job.id, snooze))
    });
    let jobs = request.jobs.iter().filter(|job| wait(job).is_none()).cloned().collect();
    let rest = FetchRequest {
        jobs,
        ..request.clone()
    };
    (rest, early.collect())
}

/// The delay of a fetch that follows from a document. A second fetch is long after its notification: what follows from it
/// waits for the API lag, so that it is not too early and has no second fetch of its own.
fn delay(request: &FetchRequest, api_lag: Duration) -> Duration {
    match request.jobs.iter().all(|job| job.kind == JobKind::FetchFollowUp) {
        true => api_lag.mul_f64(1.05),
        false => Duration::ZERO,
    }
}

/// Returns the RFQ that names the document's trip, if that is another resource.
pub(super) fn rfq_with_trip(resource: &Resource, parsed: &ParsedDocument) -> Option<Resource> {
    let missing = parsed.missing.iter().find(|it| it.kind == ResourceKind::Rfqs);
    missing.filter(|it| *it != resource).cloned()
}

/// Returns the fetches that follow from a document. `unchanged`: it has the same data as the document before.
pub(super) async fn follow_ups(
    tx: &mut Transaction<'_>,
    request: &FetchRequest,
    resource: &Resource,
    parsed: &ParsedDocument,
    unchanged: bool,
    api_lag: Duration,
) -> Result<Vec<NewJob>, sqlx::Error> {
    let mut jobs = Vec::new();
    let reconciling = request.jobs.iter().filter(|job| job.kind == JobKind::Reconcile);
    if let Some(since) = reconciling.map(|job| job.created_at).min() {
        jobs.extend(reconcile_below(tx, resource, parsed, since).await?);
        if request.jobs.iter().all(|job| job.kind == JobKind::Reconcile) {
            return Ok(jobs);
        }
    }
    let newest_notification = || request.jobs.iter().filter(is_notified).map(|job| job.created_at).max();
    let missing = parsed.missing.iter().cloned();
    let (rfqs, others): (Vec<_>, Vec<_>) = missing.partition(|it| it.kind == ResourceKind::Rfqs);
    // An unchanged document wanted the same resources before, and they were fetched then. Unless a notification came since:
    // the change may be in a resource of which the document shows only the id.
    let since = match unchanged {
        true => newest_notification(),
        false => Some(request.claimed_at),
    };
    let known = documents::fetched(tx, &ids(&others), since).await?;
    let others = others.iter().filter(|it| !known.contains(it.id.as_str()));
    jobs.extend(others.map(|it| kinds::follow_up(it, delay(request, api_lag))));
    // An RFQ that was never fetched, or, where it has to show whether a seller made the quote, not since the notification.
    let since = newest_notification().filter(|_| parsed.has_unconfirmed_quote());
    let known = documents::fetched(tx, &ids(&rfqs), since).await?;
    let rfqs = rfqs.iter().filter(|it| !known.contains(it.id.as_str()));
    jobs.extend(rfqs.map(|it| kinds::follow_up(it, WAIT_FOR_NOTIFICATION)));
    if let Some(trip) = half_known_trip(resource, parsed, request) {
        let fetched = documents::fetched(tx, std::slice::from_ref(&trip), None).await?;
        if fetched.is_empty() && !trip_lookup::is_resolved(tx, &trip).await? {
            let trip = ResourceId::parse(&trip).ok().and_then(|id| Resource::by_id(&id));
            jobs.extend(trip.map(|trip| kinds::follow_up(&trip, Duration::ZERO)));
        }
    }
    Ok(jobs)
}

/// Returns the resource id of the document's trip, if the document does not show both of its ids: a session may have the
/// other one, which the trip itself shows. Of a short id alone, the session's trip is fetched instead: most trips that are
/// notified by their short id have a session with it, and need no call.
fn half_known_trip(resource: &Resource, parsed: &ParsedDocument, request: &FetchRequest) -> Option<String> {
    if parsed.trip_ids.len() > 1 || resource.kind == ResourceKind::Trips {
        return None;
    }
    let named = parsed.trip_ids.iter().chain(&request.trip);
    let mut resources = named.map(TripId::as_str).filter(|id| id.contains('-'));
    resources.next().map(str::to_owned)
}

/// Reconciling descends from a trip to its RFQs, and from those to their messages and quotes, so it ends: to RFQs and quotes
/// that were not fetched since it began, and to messages that are not known or not served ([`served`]).
async fn reconcile_below(
    tx: &mut Transaction<'_>,
    resource: &Resource,
    parsed: &ParsedDocument,
    since: DateTime<Utc>,
) -> Result<Vec<NewJob>, sqlx::Error> {
    let referred = parsed.missing.iter().chain(&parsed.children);
    // A message's quote is on the same level, and has the price that the message left out.
    let price = |it: &Resource| (resource.kind, it.kind) == (ResourceKind::TripMessages, ResourceKind::Quotes);
    let below = referred
        .filter(|it| level(it.kind) > level(resource.kind) || price(it))
        .cloned();
    let (messages, others): (Vec<_>, Vec<_>) = below.partition(|it| it.kind == ResourceKind::TripMessages);
    let mut known = documents::fetched(tx, &ids(&others), Some(since)).await?;
    known.extend(enqueue::keys_with_jobs(tx, &[JobKind::Reconcile], &ids(&others)).await?);
    known.extend(served(tx, &ids(&messages)).await?);
    let mut new: Vec<Resource> = others.into_iter().chain(messages).collect();
    new.retain(|it| !known.contains(it.id.as_str()));
    new.sort();
    new.dedup();
    Ok(new.iter().map(|it| kinds::fetch(JobKind::Reconcile, it)).collect())
}

/// Returns which of these messages need no fetch: what was stored of them was applied, after the last of their jobs that died
/// was inserted, or they are known by an event, and none of their jobs died. A job that died again leaves one dead letter.
async fn served(tx: &mut Transaction<'_>, messages: &[String]) -> Result<BTreeSet<String>, sqlx::Error> {
    let dead = enqueue::dead_jobs_of(tx, &JobKind::FETCHING, messages).await?;
    let documents = documents::newest_states(tx, messages).await?;
    let mut served: BTreeSet<String> = trip_lookup::known_messages(tx, messages).await?.into_iter().collect();
    served.retain(|message| !dead.contains_key(message));
    for document in documents {
        let is_newer = dead
            .get(&document.resource_id)
            .is_none_or(|died| *died < document.requested_at);
        match document.applied && is_newer {
            true => served.insert(document.resource_id),
            false => served.remove(&document.resource_id),
        };
    }
    Ok(served)
}

fn level(kind: ResourceKind) -> u8 {
    match kind {
        ResourceKind::Trips => 0,
        ResourceKind::Rfqs => 1,
        ResourceKind::TripMessages | ResourceKind::Quotes => 2,
    }
}

fn ids(resources: &[Resource]) -> Vec<String> {
    resources.iter().map(|it| it.id.as_str().to_owned()).collect()
}

#[cfg(test)]
mod tests;
