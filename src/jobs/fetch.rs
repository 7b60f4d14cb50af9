//! Thin notifications: their resource is fetched, once for all jobs of it, kept, read, and applied like any event.
//!
//! Every notification is served by a GET that began after it was queued. Those that wait together share one; so does one
//! that had to wait for something else, whose document is stored by then. The GET stands outside of any transaction, and its
//! document is kept before it is applied: what fails from there on makes nothing be fetched again.

mod asked;
mod failed;
mod next;
pub mod standing;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rand::RngExt;
use serde_json::Value;
use sha2::{Digest, Sha256};

use self::asked::Asked;
use super::apply::{Applier, Content, Work};
use crate::avinode::client::get::{Client, Document};
use crate::avinode::documents::{self, Reading};
use crate::avinode::json;
use crate::avinode::resource::Resource;
use crate::domain::id::{QuoteId, RequestId, TripId};
use crate::queue::grouped::Group;
use crate::queue::job::{Claimed, JobError, Outcome};
use crate::queue::limit::{Left, News, Verdict};
use crate::queue::limiter::Limiter;
use crate::queue::paced::GroupHandler;
use crate::queue::store as queue;
use crate::store::{deliveries, documents as stored, whose};

/// A thin notification; its key is the resource's id.
pub const KIND: &str = "thin";
/// A resource that another document needs, or one to be looked at once more; likewise, and without a delivery.
pub const FOLLOW: &str = "follow";
/// A resource fetched though nobody told of it.
pub const RECONCILE: &str = "reconcile";
/// The kinds that fetching serves, the most urgent first.
pub const KINDS: [&str; 3] = [KIND, FOLLOW, RECONCILE];
/// The limiter's name.
pub const LIMITER: &str = "avinode";

/// How often an apply that meets locks is tried with the document in hand.
const APPLIES: u32 = 8;
/// How long a document that names no trip waits for the RFQ that does.
const NAMELESS: Duration = Duration::from_secs(600);

/// Fetches and applies.
pub struct FetchJob {
    /// The common way to the sessions.
    pub applier: Arc<Applier>,
    /// The way to Avinode.
    pub client: Client,
    /// Told of what came of calls.
    pub limiter: Limiter,
}

/// A document in hand.
struct InHand {
    data: Value,
    began_at: DateTime<Utc>,
    /// The same bytes as the last time.
    same: bool,
    /// It may have been read too early: to be looked at once more.
    doubtful: bool,
}

type Unfinished = Vec<(i64, JobError)>;

impl GroupHandler for FetchJob {
    fn kinds(&self) -> &'static [&'static str] {
        &KINDS
    }

    fn perform<'a>(&'a self, group: &'a Group) -> BoxFuture<'a, Result<Unfinished, JobError>> {
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

impl FetchJob {
    /// What the jobs ask for, and the newest document of it.
    async fn load(&self, group: &Group) -> Result<(Asked, Option<stored::Kept>), JobError> {
        let ids: Vec<_> = group.jobs.iter().filter_map(|job| job.delivery_id).collect();
        let mut tx = self.applier.pool.begin().await?;
        let bodies = deliveries::read(&mut tx, &ids).await?;
        let known = stored::newest(&mut tx, &group.key).await?;
        tx.commit().await?;
        let vouch = |href: &str, resource: &Resource| {
            let refused = self.client.vouch(href, resource).err();
            refused.map_or(Ok(()), |why| Err(why.to_string()))
        };
        Ok((Asked::read(&group.key, &group.jobs, &bodies, vouch), known))
    }

    async fn serve(
        &self,
        group: &Group,
        asked: &Asked,
        resource: &Resource,
        known: Option<stored::Kept>,
    ) -> Result<Unfinished, JobError> {
        let newest_job = asked.jobs.iter().map(|job| job.created_at).max();
        let stored = known
            .filter(|known| newest_job.is_some_and(|job| known.asked_at > job))
            .and_then(|known| Some((data_of(known.body.as_deref()?)?, known.began_at)));
        let in_hand = match stored {
            Some((data, began_at)) => InHand {
                data,
                began_at,
                // It may not have been applied yet.
                same: false,
                doubtful: false,
            },
            None => {
                if !group.slot.start() {
                    let late = JobError::wait("its turn to call had passed", Duration::ZERO);
                    return Ok(asked.jobs.iter().map(|job| (job.id, late.clone())).collect());
                }
                let fetched = self.client.get(resource).await;
                tracing::debug!(%resource, jobs = asked.jobs.len(), error = ?fetched.result.as_ref().err(), "fetched");
                let left = Left {
                    limit: fetched.budget.limit,
                    remaining: fetched.budget.remaining,
                    reset: fetched.budget.reset,
                };
                self.tell(group, failed::verdict(fetched.result.as_ref().err()), left)
                    .await;
                match fetched.result {
                    Ok(document) => self.keep(group, asked, resource, document, fetched.began_at).await?,
                    Err(error) => {
                        let now = self.applier.clock.now();
                        let (outcomes, unfinished) = failed::remedies(&error, &asked.jobs, now);
                        self.finish(&asked.jobs, &outcomes).await?;
                        return Ok(unfinished);
                    }
                }
            }
        };
        let reading = match documents::read(resource, &in_hand.data, in_hand.began_at) {
            Ok(reading) => reading,
            Err(why) => return Ok(all(&asked.jobs, &JobError::fail(why.to_string()))),
        };
        match self.whose(asked, resource, &reading).await? {
            Ok(trip) => self.apply(asked, resource, &reading, trip, &in_hand).await,
            Err(error) => Ok(all(&asked.jobs, &error)),
        }
    }

    /// Keeps a document, durably, before anything is made of it.
    async fn keep(
        &self,
        group: &Group,
        asked: &Asked,
        resource: &Resource,
        document: Document,
        began_at: DateTime<Utc>,
    ) -> Result<InHand, JobError> {
        let notified = asked.jobs.iter().filter(|job| job.kind == KIND).count();
        let fetched = stored::Fetched {
            resource: &group.key,
            kind: resource.kind.as_str(),
            asked_at: group.claimed_at,
            began_at,
            digest: Sha256::digest(&document.body).into(),
            body: &document.body,
            notified: i32::try_from(notified).unwrap_or(i32::MAX),
        };
        let mut tx = self.applier.pool.begin().await?;
        let compared = stored::keep(&mut tx, &fetched).await?;
        tx.commit().await?;
        Ok(InHand {
            data: document.data,
            began_at,
            same: compared.same,
            doubtful: next::is_doubtful(compared, &asked.jobs, self.applier.clock.now()),
        })
    }

    /// The trip that a document is about: `Ok(None)` where it states nothing, the inner error where it cannot be told yet.
    async fn whose(
        &self,
        asked: &Asked,
        resource: &Resource,
        reading: &Reading,
    ) -> Result<Result<Option<TripId>, JobError>, JobError> {
        let named = reading.trips.first().or(asked.trip.as_ref());
        if let Some(trip) = named {
            return Ok(Ok(Some(trip.clone())));
        }
        if reading.statements.is_empty() {
            return Ok(Ok(None));
        }
        let (request, quote) = (reading.request.as_ref(), reading.quote.as_ref());
        let mut tx = self.applier.pool.begin().await?;
        let found = whose::trips(&mut tx, request.map(RequestId::as_str), quote.map(QuoteId::as_str)).await?;
        if let [trip] = &found[..]
            && let Ok(trip) = TripId::parse(trip)
        {
            return Ok(Ok(Some(trip)));
        }
        let age = asked.age(self.applier.clock.now());
        let missing = next::names_the_trip(resource, reading);
        let Some(missing) = missing.filter(|_| age < NAMELESS) else {
            let why = match found.len() {
                0 => "names no trip, and no fact tells whose it is",
                _ => "names no trip, and facts tell of several whose it may be",
            };
            return Ok(Err(JobError::fail(format!("{resource} {why}"))));
        };
        // Those who wait for one RFQ share its fetch; once it has been read, facts tell whose this is.
        let newest = stored::newest(&mut tx, missing.id.as_str()).await?;
        if newest.is_none_or(|newest| newest.asked_at < asked.oldest()) {
            queue::enqueue_unless_live(&mut tx, &KINDS, &next::follow(&missing, None)).await?;
        }
        tx.commit().await?;
        let wait = (age / 2).clamp(Duration::from_millis(500), Duration::from_secs(60));
        Ok(Err(JobError::wait(
            format!("{resource} names no trip; {missing} is read first"),
            wait,
        )))
    }

    async fn apply(
        &self,
        asked: &Asked,
        resource: &Resource,
        reading: &Reading,
        trip: Option<TripId>,
        in_hand: &InHand,
    ) -> Result<Unfinished, JobError> {
        let mut tx = self.applier.pool.begin().await?;
        let follow = next::follow_ups(&mut tx, asked, resource, reading, in_hand.same, in_hand.doubtful).await?;
        tx.commit().await?;
        let content = Content::Document {
            resource: resource.to_string(),
            trips: reading.trips.clone(),
            events: trip.map(|trip| reading.events(&trip)).unwrap_or_default(),
            received_at: asked.received_at,
            follow,
        };
        for attempt in 1.. {
            match self.apply_once(&asked.jobs, &content).await {
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
    async fn apply_once(&self, jobs: &[Claimed], content: &Content) -> Result<(), JobError> {
        let begun = self.applier.begin(jobs).await?;
        let held = || jobs.iter().filter(|job| begun.holds(job.id));
        // One with a delivery, so that the timelines tell what it came with.
        let with_delivery = held().find(|job| job.delivery_id.is_some());
        let Some(first) = with_delivery.or_else(|| held().next()) else {
            return Ok(());
        };
        let mut works = vec![Work {
            job: first.clone(),
            content: content.clone(),
        }];
        let others = held().filter(|job| job.id != first.id);
        works.extend(others.map(|job| Work {
            job: job.clone(),
            content: Content::Shared { with: first.id },
        }));
        self.applier.apply(begun, &works).await
    }

    /// Ends jobs with these outcomes, those that are still held.
    async fn finish(&self, jobs: &[Claimed], outcomes: &[Outcome]) -> Result<(), JobError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let mut begun = self.applier.begin(jobs).await?;
        let held: Vec<Outcome> = outcomes.iter().filter(|it| begun.holds(it.job)).cloned().collect();
        queue::finish(&mut begun.tx, &held).await?;
        begun.tx.commit().await?;
        Ok(())
    }

    /// Tells the limiter, where that may change anything. A failure to do so costs a little caution and no job.
    async fn tell(&self, group: &Group, verdict: Verdict, left: Left) {
        if verdict == Verdict::Well && !group.slot.watched && !left.is_low() {
            return;
        }
        match self.limiter.hear(&self.applier.pool, &verdict, left).await {
            Ok(Some(News::Stopped(because))) => tracing::error!(
                because,
                "Avinode refuses our credentials: fetching has stopped; it is tried again slowly, or with other credentials"
            ),
            Ok(Some(News::Resumed)) => tracing::info!("Avinode takes our credentials again: fetching goes on"),
            Ok(Some(News::Opened(pause))) => {
                tracing::warn!(
                    ?pause,
                    "Avinode does not answer as it should: fetching pauses and then probes"
                );
            }
            Ok(Some(News::Closed)) => tracing::info!("Avinode answers again: fetching goes on"),
            Ok(Some(News::Paused(pause))) => tracing::warn!(?pause, "Avinode limits our calls: fetching pauses"),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "the limiter could not be told of a call"),
        }
    }
}

fn all(jobs: &[Claimed], error: &JobError) -> Unfinished {
    jobs.iter().map(|job| (job.id, error.clone())).collect()
}

/// `data` of a stored body.
fn data_of(body: &[u8]) -> Option<Value> {
    json::read(body).ok()?.get_mut("data").map(Value::take)
}
