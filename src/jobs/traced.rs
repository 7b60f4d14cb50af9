//! Spans around the work on jobs: one for a batch, and where spans are exported one for each job, which continues the trace of the
//! sender of its delivery.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tracing::field::{Empty, display};
use tracing::{Instrument, Span};
use uuid::Uuid;

use crate::postgres::transaction::Pool;
use crate::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use crate::queue::job::{ClaimedJob, JobError};
use crate::store::{deliveries, delivery_subjects};
use crate::trace_context;

/// Puts the work of a handler within spans.
pub fn traced(pool: &Pool, handler: Arc<dyn JobHandler>) -> Arc<dyn JobHandler> {
    let pool = pool.clone();
    Arc::new(TracedHandler { handler, pool })
}

struct TracedHandler {
    handler: Arc<dyn JobHandler>,
    pool: Pool,
}

impl JobHandler for TracedHandler {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            if !trace_context::spans_are_exported() {
                let span = batch_span(&batch.jobs, None);
                return self.handler.perform(batch).instrument(span).await;
            }
            let spans = self.begin(&batch.jobs).await;
            // Of a single job the work is in the trace of its sender. A span has one parent, so that of several jobs is in none.
            let span = batch_span(&batch.jobs, only(&spans));
            for job in spans.iter().filter(|_| spans.len() > 1) {
                job.follows_from(&span);
            }
            let result = self.handler.perform(batch).instrument(span).await;
            self.end(&batch.jobs, &spans, &result).await;
            result
        }
        .boxed()
    }
}

/// The span of a transaction that applies jobs. A repeated one has a span of its own.
pub(super) fn apply_span() -> Span {
    tracing::info_span!("apply", trip = Empty, session = Empty)
}

/// Adds the trip and the session to the span of a transaction, if there is one of each.
pub(super) fn record<'a>(trips: impl IntoIterator<Item = &'a str>, sessions: impl IntoIterator<Item = Uuid>) {
    let span = Span::current();
    if let Some(trip) = only(trips) {
        span.record("trip", trip);
    }
    if let Some(session) = only(sessions) {
        span.record("session", display(session));
    }
}

fn only<T>(items: impl IntoIterator<Item = T>) -> Option<T> {
    let mut items = items.into_iter();
    items.next().filter(|_| items.next().is_none())
}

/// The span of a batch. That of a single job names it and its delivery.
fn batch_span(jobs: &[ClaimedJob], parent: Option<&Span>) -> Span {
    let job = only(jobs);
    tracing::info_span!(
        parent: parent.and_then(Span::id),
        "batch",
        kind = jobs.first().map(|job| job.kind.as_str()),
        jobs = jobs.len(),
        job = job.map(|job| job.id),
        delivery = job.and_then(|job| job.delivery_id).map(display),
    )
}

impl TracedHandler {
    /// Begins a span for each job. A failure of the database does not fail the jobs: their traces then have no parent.
    async fn begin(&self, jobs: &[ClaimedJob]) -> Vec<Span> {
        let traceparents = deliveries::traceparents(&self.pool, &delivery_ids(jobs)).await;
        let traceparents = traceparents.unwrap_or_else(|error| {
            tracing::debug!(
                jobs = jobs.len(),
                "cannot read the traces of {} jobs: {error}",
                jobs.len()
            );
            HashMap::new()
        });
        let span = |job: &ClaimedJob| {
            let span = tracing::info_span!(
                parent: None,
                "job",
                job = job.id,
                kind = job.kind.as_str(),
                attempts = job.attempts,
                delivery = job.delivery_id.map(display),
                trip = Empty,
                sessions = Empty,
                otel.status_code = Empty,
                otel.status_description = Empty,
            );
            if let Some(traceparent) = job.delivery_id.and_then(|id| traceparents.get(&id)) {
                trace_context::continue_trace(&span, traceparent);
            }
            span
        };
        jobs.iter().map(span).collect()
    }

    /// Adds to the spans what became of their jobs.
    async fn end(&self, jobs: &[ClaimedJob], spans: &[Span], result: &Result<UnfinishedJobs, JobError>) {
        let subjects = delivery_subjects::newest(&self.pool, &delivery_ids(jobs)).await;
        let subjects = subjects.unwrap_or_else(|error| {
            tracing::debug!(
                jobs = jobs.len(),
                "cannot read the subjects of {} jobs: {error}",
                jobs.len()
            );
            HashMap::new()
        });
        for (job, span) in jobs.iter().zip(spans) {
            let subject = job.delivery_id.and_then(|id| subjects.get(&id));
            if let Some(trip) = subject.and_then(|subject| subject.trip.as_deref()) {
                span.record("trip", trip);
            }
            if let Some(sessions) = subject.map(|subject| &subject.sessions).filter(|ids| !ids.is_empty()) {
                let sessions: Vec<String> = sessions.iter().map(Uuid::to_string).collect();
                span.record("sessions", sessions.join(" "));
            }
            let error = match result {
                Ok(unfinished) => unfinished.iter().find(|(id, _)| *id == job.id).map(|(_, error)| error),
                Err(error) => Some(error),
            };
            if let Some(error) = error {
                span.record("otel.status_code", "ERROR");
                span.record("otel.status_description", display(error));
            }
        }
    }
}

fn delivery_ids(jobs: &[ClaimedJob]) -> Vec<Uuid> {
    jobs.iter().filter_map(|job| job.delivery_id).collect()
}
