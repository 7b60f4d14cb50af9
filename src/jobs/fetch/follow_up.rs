//! What is to be fetched after a document: what it leaves out, what a reconciling look finds in it, and the resource itself
//! once more where it may have been read too early.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::RngExt;

use super::request::FetchRequest;
use crate::avinode::documents::ParsedDocument;
use crate::avinode::resource::{Resource, ResourceKind};
use crate::avinode::resource_id::ResourceId;
use crate::domain::ids::TripId;
use crate::domain::job_kind::JobKind;
use crate::jobs::kinds;
use crate::postgres::transaction::Transaction;
use crate::queue::enqueue::{self, NewJob};
use crate::queue::job::ClaimedJob;
use crate::store::{documents, trip_lookup};

/// However long notifications of a resource go on coming, it is fetched at least this often, in times of what it takes to settle.
const LONGEST: u32 = 3;

/// How long an RFQ's own notification is waited for.
const SOON: Duration = Duration::from_secs(20);

/// For how long a resource is left alone that was fetched a moment ago and has been notified of again since: until the
/// notifications are over for as long as Avinode takes to show what they tell of. So a burst makes two fetches, one at once and one
/// that sees all of it.
pub(super) fn leave_alone(
    fetched_at: Option<DateTime<Utc>>,
    jobs: &[ClaimedJob],
    now: DateTime<Utc>,
    settle: Duration,
) -> Option<Duration> {
    let fetched_at = fetched_at?;
    let notified = || {
        jobs.iter()
            .filter(|job| job.kind == JobKind::FetchNotified)
            .map(|job| job.created_at)
    };
    if notified().min()? > fetched_at + settle {
        return None;
    }
    let until = (notified().max()? + settle).min(fetched_at + settle * LONGEST);
    (until - now).to_std().ok().filter(|wait| !wait.is_zero())
}

/// Whether a document may have been read too early: some of its notifications had just come when it was asked for, and it is
/// what it was before; or several jobs are served by it, and though it has changed it may show the first of several changes
/// only. It is looked at once more, some seconds later. A duplicate cannot be told from that and costs the same.
pub(super) fn is_doubtful(same: bool, jobs: &[ClaimedJob], asked_at: DateTime<Utc>, settle: Duration) -> bool {
    let fresh = jobs
        .iter()
        .any(|job| job.kind == JobKind::FetchNotified && job.created_at + settle > asked_at);
    fresh && (same || jobs.iter().filter(|job| job.kind != JobKind::Reconcile).count() > 1)
}

/// The look at a resource that may have been read too early.
pub(super) fn look_again(resource: &Resource, settle: Duration) -> NewJob {
    // Not the same moment for all that were fetched together.
    kinds::follow_up(resource, settle.mul_f64(rand::rng().random_range(1.0..1.5)))
}

/// The RFQ that tells whose a document is, where that is another resource.
pub(super) fn names_the_trip(resource: &Resource, reading: &ParsedDocument) -> Option<Resource> {
    let wanted = reading.missing.iter().find(|it| it.kind == ResourceKind::Rfqs);
    wanted.filter(|it| *it != resource).cloned()
}

/// The jobs that follow from a document. `same`: it is what it was before.
pub(super) async fn follow_ups(
    tx: &mut Transaction<'_>,
    asked: &FetchRequest,
    resource: &Resource,
    reading: &ParsedDocument,
    same: bool,
) -> Result<Vec<NewJob>, sqlx::Error> {
    let mut jobs = Vec::new();
    let reconciling = asked.jobs.iter().filter(|job| job.kind == JobKind::Reconcile);
    if let Some(since) = reconciling.map(|job| job.created_at).min() {
        jobs.extend(unknown(tx, resource, reading, since).await?);
        if asked.jobs.iter().all(|job| job.kind == JobKind::Reconcile) {
            return Ok(jobs);
        }
    }
    let (rfqs, others): (Vec<_>, Vec<_>) = {
        let wanted = reading.missing.iter().cloned();
        wanted.partition(|it| it.kind == ResourceKind::Rfqs)
    };
    // What the same document wanted before was fetched then. Unless somebody has told of it since: what changed may be in a
    // part of which it shows the id alone.
    let notified = asked.jobs.iter().filter(|job| job.kind == JobKind::FetchNotified);
    let since = if same {
        notified.map(|job| job.created_at).max()
    } else {
        Some(asked.asked_at)
    };
    let known = documents::fetched(tx, &ids(&others), since).await?;
    let others = others.iter().filter(|it| !known.contains(it.id.as_str()));
    jobs.extend(others.map(|it| kinds::follow_up(it, Duration::ZERO)));
    // Whether a seller made the quote that was notified of: an RFQ of before does not know.
    let notified = asked
        .jobs
        .iter()
        .filter(|job| job.kind == JobKind::FetchNotified && reading.is_undecided());
    let since = notified.map(|job| job.created_at).max();
    // An RFQ that nobody has looked at yet. Most often its own notification is on the way, and one fetch serves both.
    let known = documents::fetched(tx, &ids(&rfqs), since).await?;
    let rfqs = rfqs.iter().filter(|it| !known.contains(it.id.as_str()));
    jobs.extend(rfqs.map(|it| kinds::follow_up(it, SOON)));
    if let Some(trip) = half_known(resource, reading, asked) {
        let seen = documents::fetched(tx, std::slice::from_ref(&trip), None).await?;
        if seen.is_empty() && !trip_lookup::is_joined(tx, &trip).await? {
            let trip = ResourceId::parse(&trip).ok().and_then(|id| Resource::by_id(&id));
            jobs.extend(trip.map(|trip| kinds::follow_up(&trip, Duration::ZERO)));
        }
    }
    Ok(jobs)
}

/// The resource id of a document's trip, where neither the document shows both of its ids nor is the trip itself: a session may
/// have the other one, which the trip itself shows.
fn half_known(resource: &Resource, reading: &ParsedDocument, asked: &FetchRequest) -> Option<String> {
    if reading.trips.len() > 1 || resource.kind == ResourceKind::Trips {
        return None;
    }
    let named = reading.trips.iter().chain(&asked.trip);
    let mut resources = named.map(TripId::as_str).filter(|id| id.contains('-'));
    resources.next().map(str::to_owned)
}

/// Reconciling goes down only (a trip to its RFQs, those to their messages and quotes), so it ends: RFQs and quotes that were
/// not fetched since it began, and messages that nobody has told of.
async fn unknown(
    tx: &mut Transaction<'_>,
    resource: &Resource,
    reading: &ParsedDocument,
    since: DateTime<Utc>,
) -> Result<Vec<NewJob>, sqlx::Error> {
    let below = reading.missing.iter().chain(&reading.children);
    // A message's own quote is as deep, and tells the price that the message left out.
    let price = |it: &Resource| (resource.kind, it.kind) == (ResourceKind::TripMessages, ResourceKind::Quotes);
    let below = below
        .filter(|it| depth(it.kind) > depth(resource.kind) || price(it))
        .cloned();
    let (messages, others): (Vec<_>, Vec<_>) = below.partition(|it| it.kind == ResourceKind::TripMessages);
    let mut known = documents::fetched(tx, &ids(&others), Some(since)).await?;
    // Put up beside this one, and on its way.
    known.extend(enqueue::keys_with_jobs(tx, &[JobKind::Reconcile], &ids(&others)).await?);
    let messages_ids = ids(&messages);
    known.extend(documents::fetched(tx, &messages_ids, None).await?);
    known.extend(trip_lookup::messages(tx, &messages_ids).await?);
    let mut new: Vec<Resource> = others.into_iter().chain(messages).collect();
    new.retain(|it| !known.contains(it.id.as_str()));
    new.sort();
    new.dedup();
    Ok(new.iter().map(|it| kinds::fetch(JobKind::Reconcile, it)).collect())
}

fn depth(kind: ResourceKind) -> u8 {
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
