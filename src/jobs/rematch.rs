//! A session got or lost a trip id, or its primary quote was written: it is compared with everything known about its trip.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::apply::JobApplier;
use super::fetch::speculative;
use super::work::JobPayload;
use crate::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use crate::queue::job::JobError;

pub struct RematchHandler(pub Arc<JobApplier>);

impl JobHandler for RematchHandler {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            let keys = batch.jobs.iter().filter_map(|job| job.key.as_deref());
            let sessions: Vec<Uuid> = keys.filter_map(|key| key.parse().ok()).collect();
            speculative::request_other_ids(&self.0.pool, &sessions).await?;
            self.0.apply_keys(&batch.jobs, payload, "a session id").await
        }
        .boxed()
    }
}

fn payload(key: &str) -> Option<JobPayload> {
    let session = key.parse().ok()?;
    Some(JobPayload::Rematch { session })
}
