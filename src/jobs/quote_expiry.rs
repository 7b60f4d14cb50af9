//! A quote's `validUntil` passes: the primary quote is elected anew without it.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::apply::JobApplier;
use super::kinds::QuoteExpiryKey;
use super::work::JobPayload;
use crate::domain::job_kind::JobKind;
use crate::queue::job::{ClaimedJob, JobError, JobHandler};

fn payload(key: &str) -> Option<JobPayload> {
    let QuoteExpiryKey {
        trip,
        quote,
        valid_until,
    } = QuoteExpiryKey::parse(key)?;
    Some(JobPayload::QuoteExpiry {
        trip,
        quote,
        valid_until,
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
            .apply_keys(jobs, payload, "its key is no trip, quote and time")
            .boxed()
    }
}
