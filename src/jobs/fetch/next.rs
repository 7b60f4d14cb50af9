//! What is to be fetched after a document: what it leaves out, what a reconciling look finds in it, and the resource itself
//! once more where it may have been read too early.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::RngExt;

use super::asked::Asked;
use super::{FOLLOW, KIND, RECONCILE};
use crate::avinode::documents::Reading;
use crate::avinode::resource::{Resource, ResourceKind};
use crate::postgres::transaction::Transaction;
use crate::queue::enqueue::NewJob;
use crate::queue::job::Claimed;
use crate::store::documents::{self, Compared};
use crate::store::whose;

/// A resource that was notified of longer ago is no longer behind.
const FRESH: Duration = Duration::from_secs(60);
/// So many notifications within moments are a burst, of which the last fetch is taken to have seen all.
const BURST: i32 = 10;

/// How long an RFQ's own notification is waited for.
const SOON: Duration = Duration::from_secs(20);

/// A job that fetches a resource.
pub(super) fn follow(resource: &Resource, due_in: Option<Duration>) -> NewJob {
    job(FOLLOW, resource, due_in)
}

fn job(kind: &'static str, resource: &Resource, due_in: Option<Duration>) -> NewJob {
    NewJob {
        kind,
        key: Some(resource.id.as_str().to_owned()),
        delivery_id: None,
        due_in,
    }
}

/// Whether a document may have been read too early: a notification has just come, and the document is what it was before. Or
/// two were served together, or one and a look that was due because of an earlier one, and though the document has changed it
/// may show the first of two changes only. It is looked at once more, some seconds later and once. A duplicate cannot be told
/// from that and costs the same; a burst of notifications within moments is not looked at again, so that many of one resource
/// make no more than two fetches.
pub(super) fn is_doubtful(compared: Compared, jobs: &[Claimed], now: DateTime<Utc>) -> bool {
    let fresh = |job: &&Claimed| (now - job.created_at).to_std().unwrap_or_default() < FRESH;
    let of = |kind| jobs.iter().filter(fresh).filter(move |job| job.kind == kind).count();
    let (notified, looks) = (of(KIND), of(FOLLOW));
    let changes = if compared.same {
        notified
    } else {
        (notified + looks).saturating_sub(1)
    };
    notified > 0 && changes > 0 && compared.lately < BURST
}

/// The RFQ that tells whose a document is, where that is another resource.
pub(super) fn names_the_trip(resource: &Resource, reading: &Reading) -> Option<Resource> {
    let wanted = reading.wanting.iter().find(|it| it.kind == ResourceKind::Rfqs);
    wanted.filter(|it| *it != resource).cloned()
}

/// The jobs that follow from a document.
pub(super) async fn follow_ups(
    tx: &mut Transaction<'_>,
    asked: &Asked,
    resource: &Resource,
    reading: &Reading,
    same: bool,
    doubtful: bool,
) -> Result<Vec<NewJob>, sqlx::Error> {
    let mut jobs = Vec::new();
    if doubtful {
        let moment = rand::rng().random_range(3.0..5.0);
        jobs.push(follow(resource, Some(Duration::from_secs_f64(moment))));
    }
    let reconciling = asked.jobs.iter().filter(|job| job.kind == RECONCILE);
    if let Some(since) = reconciling.map(|job| job.created_at).min() {
        jobs.extend(unknown(tx, resource, reading, since).await?);
        return Ok(jobs);
    }
    let (rfqs, others): (Vec<_>, Vec<_>) = {
        let wanted = reading.wanting.iter().cloned();
        wanted.partition(|it| it.kind == ResourceKind::Rfqs)
    };
    let known = documents::fetched(tx, &ids(&reading.wanting), None).await?;
    let is_new = |it: &&Resource| !known.contains(it.id.as_str());
    // What the same document wanted before was fetched then.
    jobs.extend(
        others
            .iter()
            .filter(|it| !same || is_new(it))
            .map(|it| follow(it, None)),
    );
    // Whether a seller made the quote that was notified of: an RFQ of before does not know.
    let notified = asked
        .jobs
        .iter()
        .filter(|job| job.kind == KIND && reading.is_undecided());
    let known = match notified.map(|job| job.created_at).max() {
        Some(since) => documents::fetched(tx, &ids(&rfqs), Some(since)).await?,
        None => known,
    };
    let is_new = |it: &&Resource| !known.contains(it.id.as_str());
    // An RFQ that nobody has looked at yet. Most often its own notification is on the way, and one fetch serves both.
    jobs.extend(rfqs.iter().filter(is_new).map(|it| follow(it, Some(SOON))));
    Ok(jobs)
}

/// Reconciling goes down only (a trip to its RFQs, those to their messages and quotes), so it ends: RFQs and quotes that were
/// not fetched since it began, and messages that nobody has told of.
async fn unknown(
    tx: &mut Transaction<'_>,
    resource: &Resource,
    reading: &Reading,
    since: DateTime<Utc>,
) -> Result<Vec<NewJob>, sqlx::Error> {
    let below = reading.wanting.iter().chain(&reading.parts);
    let below = below.filter(|it| depth(it.kind) > depth(resource.kind)).cloned();
    let (messages, others): (Vec<_>, Vec<_>) = below.partition(|it| it.kind == ResourceKind::TripMessages);
    let mut known = documents::fetched(tx, &ids(&others), Some(since)).await?;
    let messages_ids = ids(&messages);
    known.extend(documents::fetched(tx, &messages_ids, None).await?);
    known.extend(whose::messages(tx, &messages_ids).await?);
    let mut new: Vec<Resource> = others.into_iter().chain(messages).collect();
    new.retain(|it| !known.contains(it.id.as_str()));
    new.sort();
    new.dedup();
    Ok(new.iter().map(|it| job(RECONCILE, it, None)).collect())
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
