//! A quote's `validUntil` passes: the primary quote is elected anew without it.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::apply::{JobApplier, JobPayload};
use crate::domain::ids::QuoteId;
use crate::domain::job_kind::JobKind;
use crate::queue::enqueue::NewJob;
use crate::queue::job::{ClaimedJob, JobError, JobHandler};

/// A job for the moment at which a quote expires, if that lies ahead.
pub fn job(trip: &str, quote: &QuoteId, valid_until: DateTime<Utc>, now: DateTime<Utc>) -> Option<NewJob> {
    let due_in = (valid_until - now).to_std().ok().filter(|ahead| !ahead.is_zero())?;
    Some(NewJob {
        kind: JobKind::QuoteExpiry,
        // Apart by tabs, which no id holds.
        key: Some(format!("{trip}\t{quote}\t{}", valid_until.timestamp_micros())),
        delivery_id: None,
        due_in: Some(due_in),
    })
}

fn read(key: &str) -> Option<JobPayload> {
    let mut parts = key.split('\t');
    let (trip, quote, valid_until) = (parts.next()?, parts.next()?, parts.next()?);
    Some(JobPayload::Expire {
        trip: trip.to_owned(),
        quote: QuoteId::parse(quote).ok()?,
        valid_until: DateTime::from_timestamp_micros(valid_until.parse().ok()?)?,
    })
}

/// Elects anew where quotes have expired.
pub struct QuoteExpiryHandler {
    /// The common way to the sessions.
    pub applier: Arc<JobApplier>,
}

impl JobHandler for QuoteExpiryHandler {
    fn kind(&self) -> JobKind {
        JobKind::QuoteExpiry
    }

    fn batch_size(&self) -> i64 {
        256
    }

    fn perform<'a>(&'a self, jobs: &'a [ClaimedJob]) -> BoxFuture<'a, Result<Vec<(i64, JobError)>, JobError>> {
        self.applier
            .apply_keys(jobs, read, "its key is no trip, quote and time")
            .boxed()
    }
}
