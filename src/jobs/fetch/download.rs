//! Fetches a resource from Avinode, unless it is not needed or too early, and stores its document.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use metrics::{counter, histogram};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::Instant;
use tracing::Instrument;

use super::request::FetchRequest;
use super::{errors, follow_up, limiter_feedback};
use crate::avinode::client::avinode_client::{ApiDocument, AvinodeClient, ParameterRefusal};
use crate::avinode::client::error::FetchError;
use crate::avinode::json;
use crate::avinode::resource::{Resource, ResourceKind};
use crate::clock::Clock;
use crate::domain::ids::TripId;
use crate::postgres::transaction::Pool;
use crate::queue::enqueue::{self, InsertOptions};
use crate::queue::handler::{JobBatch, UnfinishedJobs};
use crate::queue::job::{ClaimedJob, JobError};
use crate::queue::job_kind::JobKind;
use crate::queue::outcomes::JobOutcome;
use crate::queue::rate_limit::limiter::Permit;
use crate::queue::rate_limit::restrictions::RefusalScope;
use crate::queue::rate_limit::state::RemainingQuota;
use crate::queue::release;
use crate::store::documents::{self, NewDocument, StoredDocument};
use crate::store::trip_lookup;

pub struct Downloader {
    pub pool: Pool,
    pub client: AvinodeClient,
    pub clock: Clock,
    /// The longest time for which the API lags behind its notifications.
    pub api_lag: Duration,
}

pub(super) struct FetchedDocument {
    pub(super) data: Value,
    /// By the database's clock, before its GET began.
    pub(super) fetched_at: DateTime<Utc>,
    /// By this process's clock.
    pub(super) began_at: DateTime<Utc>,
    /// It has the same data as the document before.
    pub(super) unchanged: bool,
}

/// The outcomes of the jobs that are finished without a document, and the others.
pub(super) type NotFetched = (Vec<JobOutcome>, UnfinishedJobs);

impl Downloader {
    /// Checks that a notification's link leads to its resource; the error says why not.
    pub(super) fn verify_href(&self, href: &str, resource: &Resource) -> Result<(), String> {
        self.client
            .verify_href(href, resource)
            .map_err(|mismatch| mismatch.to_string())
    }

    pub(super) async fn download(
        &self,
        batch: &JobBatch,
        request: &FetchRequest,
        resource: &Resource,
        fetched_at: Option<DateTime<Utc>>,
    ) -> Result<Result<FetchedDocument, NotFetched>, JobError> {
        // A second fetch is due in any case: it is not about the trip's ids.
        if fetched_at.is_none()
            && let Some(why) = self.not_needed(request, resource).await?
        {
            let nothing = |job: &ClaimedJob| JobOutcome::new(job.id, "nothing", why);
            return Ok(Err((request.jobs.iter().map(nothing).collect(), Vec::new())));
        }
        if let Some(wait) = follow_up::debounce(fetched_at, &request.jobs, request.claimed_at, self.api_lag) {
            let snooze = JobError::snooze("fetched a moment ago, later notifications share the next fetch", wait);
            return Ok(Err((Vec::new(), request.all_failed(&snooze))));
        }
        let Some(call) = batch.permit.as_ref().and_then(Permit::start) else {
            let snooze = JobError::snooze("calls were paused, or another process fetches by now", Duration::ZERO);
            return Ok(Err((Vec::new(), request.all_failed(&snooze))));
        };
        let began = Instant::now();
        let span = tracing::info_span!(
            "fetch",
            %resource,
            jobs = request.jobs.len(),
            // The first one: those that wait for the same resource share its fetch.
            delivery = request.jobs.iter().find_map(|job| job.delivery_id).map(display),
        );
        let fetched = self.client.get(resource).instrument(span).await;
        let error = fetched.result.as_ref().err();
        measure(resource, error, began.elapsed());
        if fetched.parameters_refused == Some(ParameterRefusal::Kind) {
            let kind = resource.kind.as_str();
            tracing::warn!(
                kind,
                "Avinode refuses the query parameters of {kind}, which are fetched without for an hour: see \
                 AVINODE_QUERY_PARAMETERS"
            );
        }
        let parameters_refused = fetched.parameters_refused == Some(ParameterRefusal::Resource);
        let quota = RemainingQuota {
            limit: fetched.rate_limit.limit,
            remaining: fetched.rate_limit.remaining,
            reset: fetched.rate_limit.reset,
        };
        let report = call.report(&errors::call_outcome(resource, &request.jobs, error), quota);
        limiter_feedback::log(report.event);
        match fetched.result {
            Ok(document) => {
                let document = self.store(request, resource, document, fetched.began_at).await?;
                tracing::debug!(%resource, jobs = request.jobs.len(), "fetched {resource}");
                Ok(Ok(document))
            }
            Err(error) if parameters_refused => {
                // With a permit of its own.
                let reason = format!("fetched again without query parameters: {}", error.reason());
                Ok(Err((
                    Vec::new(),
                    request.all_failed(&JobError::snooze(reason, Duration::ZERO)),
                )))
            }
            Err(error) => {
                tracing::debug!(%resource, jobs = request.jobs.len(), "failed to fetch {resource}: {error}");
                let histories = match report.refusal {
                    Some(RefusalScope::Key) => release::histories(&self.pool, &request.jobs).await?,
                    _ => HashMap::new(),
                };
                let now = self.clock.now();
                Ok(Err(errors::dispositions(
                    &error,
                    &request.jobs,
                    report.refusal,
                    &histories,
                    now,
                )))
            }
        }
    }

    /// Returns why a trip need not be fetched: only its ids were wanted, and its session is found without them by now, or is no
    /// longer there.
    async fn not_needed(&self, request: &FetchRequest, resource: &Resource) -> Result<Option<&'static str>, JobError> {
        let is_speculative = |job: &ClaimedJob| job.kind == JobKind::FetchSpeculative;
        let for_ids = |job: &ClaimedJob| job.kind == JobKind::FetchFollowUp || is_speculative(job);
        if resource.kind != ResourceKind::Trips || !request.jobs.iter().all(for_ids) {
            return Ok(None);
        }
        let Ok(trip) = TripId::parse(resource.id.as_str()) else {
            return Ok(None);
        };
        let mut tx = self.pool.begin().await?;
        let is_resolved = trip_lookup::is_resolved(&mut tx, trip.as_str()).await?;
        let is_unwanted =
            request.jobs.iter().all(is_speculative) && !trip_lookup::has_active_session(&mut tx, trip.as_str()).await?;
        tx.commit().await?;
        Ok(match (is_resolved, is_unwanted) {
            (true, _) => Some("the session of the trip is found by now"),
            (false, true) => Some("no active session has the trip any more"),
            (false, false) => None,
        })
    }

    /// Stores a document durably before it is applied, and with it the second fetch that it may need.
    async fn store(
        &self,
        request: &FetchRequest,
        resource: &Resource,
        document: ApiDocument,
        began_at: DateTime<Utc>,
    ) -> Result<FetchedDocument, JobError> {
        let new = NewDocument {
            resource_id: resource.id.as_str(),
            kind: resource.kind.as_str(),
            requested_at: request.claimed_at,
            fetch_began_at: began_at,
            // Of the data only: the envelope differs on every call. A map's names are ordered.
            digest: Sha256::digest(document.data.to_string()).into(),
            body: &document.body,
        };
        let mut tx = self.pool.begin().await?;
        let unchanged = documents::store(&mut tx, &new).await?;
        // A trip is followed for its ids, which do not change.
        let for_ids = resource.kind == ResourceKind::Trips && !request.jobs.iter().any(is_notified);
        if !for_ids && follow_up::is_too_early(&request.jobs, request.claimed_at, self.api_lag) {
            let again = follow_up::second_fetch(resource, self.api_lag);
            enqueue::insert(&mut tx, &[again], InsertOptions::default()).await?;
        }
        tx.commit().await?;
        Ok(FetchedDocument {
            data: document.data,
            fetched_at: request.claimed_at,
            began_at,
            unchanged,
        })
    }
}

fn measure(resource: &Resource, error: Option<&FetchError>, time: Duration) {
    let (resource, outcome) = (
        resource.kind.as_str(),
        error.map_or("document", |error| error.kind.as_str()),
    );
    counter!("avinode_ingest_fetch_calls_total", "resource" => resource, "outcome" => outcome).increment(1);
    histogram!("avinode_ingest_fetch_call_duration_seconds", "resource" => resource).record(time);
}

fn is_notified(job: &ClaimedJob) -> bool {
    job.kind == JobKind::FetchNotified
}

/// Returns the newest stored document, if it is of the resource and its GET began after the last of the jobs was inserted.
pub(super) fn stored(newest: &StoredDocument, request: &FetchRequest) -> Option<FetchedDocument> {
    let kind = request.resource.as_ref().map(|resource| resource.kind.as_str());
    if newest.requested_at <= request.newest() || kind != Some(newest.kind.as_str()) {
        return None;
    }
    let mut body = json::read(newest.body.as_deref()?).ok()?;
    Some(FetchedDocument {
        data: body.get_mut("data").map(Value::take)?,
        fetched_at: newest.requested_at,
        began_at: newest.fetch_began_at,
        // It may not have been applied yet.
        unchanged: false,
    })
}
