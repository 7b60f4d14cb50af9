//! A quote's `validUntil` passes: the primary quote is selected again without it.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::apply::JobApplier;
use super::kinds;
use super::work::JobPayload;
use crate::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use crate::queue::job::JobError;

pub struct QuoteExpiryHandler(pub Arc<JobApplier>);

impl JobHandler for QuoteExpiryHandler {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        self.0
            .apply_keys(&batch.jobs, payload, "a trip, a quote and a time")
            .boxed()
    }
}

fn payload(key: &str) -> Option<JobPayload> {
    let (trip, quote, valid_until) = kinds::parse_quote_expiry(key)?;
    Some(JobPayload::QuoteExpiry {
        trip,
        quote,
        valid_until,
    })
}
