//! Thin notifications: their resource is fetched, once for all jobs of it, kept, read, and applied like any event.
//!
//! Every notification is served by a GET that began after it was queued. Those that wait together share one; so does one
//! that had to wait for something else, whose document is stored by then. The GET stands outside of any transaction, and its
//! document is kept before it is applied: what fails from there on makes nothing be fetched again.

mod download;
mod errors;
mod follow_up;
pub mod ids;
mod limiter_feedback;
mod request;
pub mod status;
mod whose;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rand::RngExt;
use serde_json::Value;

use self::request::FetchRequest;
use super::apply::JobApplier;
use super::work::{ClaimedWork, JobPayload};
use crate::avinode::client::avinode_client::AvinodeClient;
use crate::avinode::documents::{self, ParsedDocument};
use crate::avinode::json;
use crate::avinode::resource::Resource;
use crate::domain::ids::TripId;
use crate::domain::job_kind::JobKind;
use crate::domain::trip::Provenance;
use crate::queue::claim as queue;
use crate::queue::claim_by_key::{KeyBatch, KeyHandler};
use crate::queue::job::{ClaimedJob, JobError, JobOutcome};
use crate::queue::limiter::Limiter;
use crate::store::deliveries;
use crate::store::documents::{self as kept, StoredDocument};

/// The limiter's name.
pub const LIMITER: &str = "avinode";

/// How often an apply that meets locks is tried with the document in hand.
const APPLIES: u32 = 8;

/// Fetches and applies.
pub struct FetchHandler {
    /// The common way to the sessions.
    pub applier: Arc<JobApplier>,
    /// The way to Avinode.
    pub client: AvinodeClient,
    /// Told of what came of calls.
    pub limiter: Limiter,
    /// How long after a notification Avinode may still show what was before.
    pub settle: Duration,
}

/// A document in hand.
struct FetchedDocument {
    data: Value,
    /// By the database's clock, before its GET began.
    asked_at: DateTime<Utc>,
    /// By ours.
    began_at: DateTime<Utc>,
    /// It says the same as the last time.
    same: bool,
}

type Unfinished = Vec<(i64, JobError)>;

impl KeyHandler for FetchHandler {
    fn kinds(&self) -> &'static [JobKind] {
        &JobKind::FETCHING
    }

    fn perform<'a>(&'a self, group: &'a KeyBatch) -> BoxFuture<'a, Result<Unfinished, JobError>> {
        async move {
            let (asked, known) = self.load(group).await?;
            self.finish(&group.jobs, &asked.outcomes).await?;
            let mut unfinished = asked.unfinished.clone();
            let Some(resource) = &asked.resource else {
                return Ok(unfinished);
            };
            unfinished.extend(self.serve(group, &asked, resource, known).await?);
            Ok(unfinished)
        }
        .boxed()
    }
}

impl FetchHandler {
    /// What the jobs ask for, and the newest document of it.
    async fn load(&self, group: &KeyBatch) -> Result<(FetchRequest, Option<StoredDocument>), JobError> {
        let ids: Vec<_> = group.jobs.iter().filter_map(|job| job.delivery_id).collect();
        let mut tx = self.applier.pool.begin().await?;
        let bodies = deliveries::read(&mut tx, &ids).await?;
        let known = kept::newest(&mut tx, &group.key).await?;
        tx.commit().await?;
        let vouch = |href: &str, resource: &Resource| {
            let refused = self.client.vouch(href, resource).err();
            refused.map_or(Ok(()), |why| Err(why.to_string()))
        };
        let asked = FetchRequest::read(&group.key, &group.jobs, group.claimed_at, &bodies, vouch);
        Ok((asked, known))
    }

    async fn serve(
        &self,
        group: &KeyBatch,
        asked: &FetchRequest,
        resource: &Resource,
        known: Option<StoredDocument>,
    ) -> Result<Unfinished, JobError> {
        let fetched_at = known.as_ref().map(|known| known.asked_at);
        let in_hand = match known.and_then(|known| stored(&known, asked)) {
            Some(in_hand) => in_hand,
            None => match self.ask(group, asked, resource, fetched_at).await? {
                Ok(in_hand) => in_hand,
                Err(unfinished) => return Ok(unfinished),
            },
        };
        let reading = match documents::read(resource, &in_hand.data, in_hand.began_at) {
            Ok(reading) => reading,
            Err(why) => return Ok(all(&asked.jobs, &JobError::fail(why.to_string()))),
        };
        match self.whose(asked, resource, &reading, in_hand.asked_at).await? {
            Ok(trip) => self.apply(asked, resource, &reading, trip, &in_hand).await,
            Err(error) => Ok(all(&asked.jobs, &error)),
        }
    }

    async fn apply(
        &self,
        asked: &FetchRequest,
        resource: &Resource,
        reading: &ParsedDocument,
        trip: Option<TripId>,
        in_hand: &FetchedDocument,
    ) -> Result<Unfinished, JobError> {
        let mut tx = self.applier.pool.begin().await?;
        let follow_ups = follow_up::follow_ups(&mut tx, asked, resource, reading, in_hand.same).await?;
        tx.commit().await?;
        let payload = JobPayload::Document {
            resource: resource.to_string(),
            trips: reading.trips.clone(),
            events: trip.map(|trip| reading.events(&trip)).unwrap_or_default(),
            way: asked
                .received_at
                .map_or(Provenance::Polled(in_hand.began_at), Provenance::Notified),
            follow_ups,
        };
        for attempt in 1.. {
            match self.apply_once(&asked.jobs, &payload).await {
                Err(JobError::Contention(_)) if attempt < APPLIES => {
                    let moment = Duration::from_millis(rand::rng().random_range(5..60));
                    tokio::time::sleep(moment).await;
                }
                done => return done.map(|()| Vec::new()),
            }
        }
        Ok(Vec::new())
    }

    /// One of the jobs that are still held has the document applied; the others share it.
    async fn apply_once(&self, jobs: &[ClaimedJob], payload: &JobPayload) -> Result<(), JobError> {
        let begun = self.applier.begin(jobs).await?;
        let held = || jobs.iter().filter(|job| begun.holds(job.id));
        // One with a delivery, so that the timelines tell what it came with.
        let with_delivery = held().find(|job| job.delivery_id.is_some());
        let Some(first) = with_delivery.or_else(|| held().next()) else {
            return Ok(());
        };
        let mut works = vec![ClaimedWork {
            job: first.clone(),
            payload: payload.clone(),
        }];
        let others = held().filter(|job| job.id != first.id);
        works.extend(others.map(|job| ClaimedWork {
            job: job.clone(),
            payload: JobPayload::Shared { with: first.id },
        }));
        self.applier.apply(begun, &works).await
    }

    /// Ends jobs with these outcomes, those that are still held.
    async fn finish(&self, jobs: &[ClaimedJob], outcomes: &[JobOutcome]) -> Result<(), JobError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let mut begun = self.applier.begin(jobs).await?;
        let held: Vec<JobOutcome> = outcomes.iter().filter(|it| begun.holds(it.job)).cloned().collect();
        queue::complete(&mut begun.tx, &held).await?;
        begun.tx.commit().await?;
        Ok(())
    }
}

fn all(jobs: &[ClaimedJob], error: &JobError) -> Unfinished {
    jobs.iter().map(|job| (job.id, error.clone())).collect()
}

/// The newest document, if it was asked for after the last of the jobs was queued.
fn stored(known: &StoredDocument, asked: &FetchRequest) -> Option<FetchedDocument> {
    if known.asked_at <= asked.newest() {
        return None;
    }
    let data = json::read(known.body.as_deref()?)
        .ok()?
        .get_mut("data")
        .map(Value::take)?;
    Some(FetchedDocument {
        data,
        asked_at: known.asked_at,
        began_at: known.began_at,
        // It may not have been applied yet.
        same: false,
    })
}
