//! Serves the jobs of a resource: fetches it if necessary, and applies its document.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use rand::RngExt;

use super::download::{self, Downloader, FetchedDocument};
use super::follow_up;
use super::request::FetchRequest;
use super::{subjects, trip_lookup};
use crate::activity_log::ACTIVITY;
use crate::avinode::documents::{self, ParsedDocument};
use crate::avinode::resource::Resource;
use crate::domain::ids::TripId;
use crate::domain::trip::Provenance;
use crate::jobs::apply::JobApplier;
use crate::jobs::work::{ClaimedWork, JobPayload};
use crate::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use crate::queue::job::{ClaimedJob, JobError};
use crate::queue::outcomes::{self, JobOutcome};
use crate::store::deliveries;
use crate::store::delivery_subjects::{self, DeliverySubject};
use crate::store::documents::{self as stored_documents, AppliedDocument, StoredDocument};

/// Attempts to apply a fetched document that meets contention.
const APPLY_ATTEMPTS: u32 = 8;

pub struct FetchHandler {
    pub applier: Arc<JobApplier>,
    pub downloader: Downloader,
}

impl JobHandler for FetchHandler {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            let (request, newest) = self.load(&batch.jobs).await?;
            self.complete(&request, &batch.jobs, &request.outcomes).await?;
            let mut unfinished = request.unfinished.clone();
            if let Some(resource) = &request.resource {
                unfinished.extend(self.serve(batch, &request, resource, newest).await?);
            }
            let failed = subjects::of_failed(&request, &batch.jobs, &unfinished);
            if !failed.is_empty() {
                let mut tx = self.applier.pool.begin().await?;
                delivery_subjects::insert(&mut tx, &failed).await?;
                tx.commit().await?;
            }
            Ok(unfinished)
        }
        .boxed()
    }
}

impl FetchHandler {
    /// Reads the request of the jobs, and the newest stored document of the resource.
    async fn load(&self, jobs: &[ClaimedJob]) -> Result<(FetchRequest, Option<StoredDocument>), JobError> {
        let key = jobs[0].key.as_deref().unwrap_or_default();
        let ids: Vec<_> = jobs.iter().filter_map(|job| job.delivery_id).collect();
        let mut tx = self.applier.pool.begin().await?;
        let bodies = deliveries::read(&mut tx, &ids).await?;
        let newest = stored_documents::newest(&mut tx, key).await?;
        tx.commit().await?;
        let verify = |href: &str, resource: &Resource| self.downloader.verify_href(href, resource);
        Ok((FetchRequest::read(key, jobs, &bodies, verify), newest))
    }

    async fn serve(
        &self,
        batch: &JobBatch,
        request: &FetchRequest,
        resource: &Resource,
        newest: Option<StoredDocument>,
    ) -> Result<UnfinishedJobs, JobError> {
        let fetched_at = newest.as_ref().map(|newest| newest.requested_at);
        if let Some(newest) = &newest {
            let (rest, early) =
                follow_up::without_early_second_fetches(request, newest.requested_at, self.downloader.api_lag);
            if !early.is_empty() && !rest.jobs.is_empty() && download::stored(newest, &rest).is_some() {
                let served = Box::pin(self.serve(batch, &rest, resource, Some(newest.clone())));
                return Ok(served.await?.into_iter().chain(early).collect());
            }
        }
        let document = match newest.and_then(|newest| download::stored(&newest, request)) {
            Some(document) => document,
            None => match self.downloader.download(batch, request, resource, fetched_at).await? {
                Ok(document) => document,
                Err((outcomes, unfinished)) => {
                    self.complete(request, &request.jobs, &outcomes).await?;
                    return Ok(unfinished);
                }
            },
        };
        let parsed = match documents::read(resource, &document.data, document.began_at) {
            Ok(parsed) => parsed,
            Err(error) => return Ok(request.all_failed(&JobError::fail(error.to_string()))),
        };
        let pool = &self.applier.pool;
        match trip_lookup::trip_of(pool, request, resource, &parsed, document.fetched_at).await? {
            Ok(trip) => self.apply(request, resource, &parsed, trip, &document).await,
            Err(unknown) => Ok(request.all_failed(&unknown)),
        }
    }

    async fn apply(
        &self,
        request: &FetchRequest,
        resource: &Resource,
        parsed: &ParsedDocument,
        trip: Option<TripId>,
        document: &FetchedDocument,
    ) -> Result<UnfinishedJobs, JobError> {
        let mut tx = self.applier.pool.begin().await?;
        let follow_ups = follow_up::follow_ups(
            &mut tx,
            request,
            resource,
            parsed,
            document.unchanged,
            self.downloader.api_lag,
        )
        .await?;
        tx.commit().await?;
        let notified = request.received_at.map(Provenance::Notified);
        let payload = JobPayload::Events {
            key: None,
            event_id: None,
            source: resource.to_string(),
            same_trip: parsed.trip_ids.clone(),
            events: trip.map(|trip| parsed.events_of(&trip)).unwrap_or_default(),
            provenance: notified.unwrap_or(Provenance::Polled(document.began_at)),
            follow_ups,
            delivery: None,
            unread: request.unread.iter().chain(&parsed.unread).cloned().collect(),
        };
        for attempt in 1.. {
            match self.apply_once(&request.jobs, resource, document, &payload).await {
                Err(JobError::Contention(_)) if attempt < APPLY_ATTEMPTS => {
                    let moment = Duration::from_millis(rand::rng().random_range(5..60));
                    tokio::time::sleep(moment).await;
                }
                result => return result.map(|()| Vec::new()),
            }
        }
        Ok(Vec::new())
    }

    /// One of the jobs that are still held applies the document; the others share it.
    async fn apply_once(
        &self,
        jobs: &[ClaimedJob],
        resource: &Resource,
        document: &FetchedDocument,
        payload: &JobPayload,
    ) -> Result<(), JobError> {
        let begun = self.applier.begin(jobs).await?;
        let held = || jobs.iter().filter(|job| begun.holds(job.id));
        // One with a delivery, so that the timeline shows the delivery.
        let with_delivery = held().find(|job| job.delivery_id.is_some());
        let Some(first) = with_delivery.or_else(|| held().next()) else {
            return Ok(());
        };
        let mut works = vec![ClaimedWork::new(first, payload.clone())];
        let others = jobs.iter().filter(|job| begun.holds(job.id) && job.id != first.id);
        works.extend(others.map(|job| ClaimedWork::new(job, JobPayload::Shared { with: first.id })));
        let applied = AppliedDocument {
            resource_id: resource.id.as_str(),
            requested_until: document.fetched_at,
        };
        self.applier.apply(begun, &works, Some(applied)).await
    }

    /// Finishes the jobs that are still held.
    async fn complete(
        &self,
        request: &FetchRequest,
        jobs: &[ClaimedJob],
        outcomes: &[JobOutcome],
    ) -> Result<(), JobError> {
        if outcomes.is_empty() {
            return Ok(());
        }
        let mut begun = self.applier.begin(jobs).await?;
        let held: Vec<JobOutcome> = outcomes.iter().filter(|it| begun.holds(it.job)).cloned().collect();
        outcomes::complete(&mut begun.tx, &held).await?;
        let finished = jobs
            .iter()
            .filter(|job| held.iter().any(|outcome| outcome.job == job.id));
        let subjects: Vec<DeliverySubject> = subjects::of_jobs(request, finished).collect();
        delivery_subjects::insert(&mut begun.tx, &subjects).await?;
        begun.tx.commit().await?;
        for outcome in &held {
            let kind = jobs
                .iter()
                .find(|job| job.id == outcome.job)
                .map_or("", |job| job.kind.as_str());
            metrics::counter!("avinode_ingest_jobs_finished_total", "kind" => kind, "outcome" => outcome.outcome)
                .increment(1);
        }
        let ignored = held.iter().filter(|outcome| outcome.outcome == "ignored");
        ACTIVITY.jobs_ignored(ignored.map(|_| 1).sum());
        Ok(())
    }
}
