//! A session got a trip id, lost it, or had its primary quote written: match it with what is known of its trip.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::apply::JobApplier;
use super::fetch::ids;
use super::work::JobPayload;
use crate::domain::job_kind::JobKind;
use crate::queue::job::{ClaimedJob, JobError, JobHandler};

/// Matches sessions with their trips.
pub struct RematchHandler {
    /// The common way to the sessions.
    pub applier: Arc<JobApplier>,
}

impl JobHandler for RematchHandler {
    fn kind(&self) -> JobKind {
        JobKind::Rematch
    }

    fn batch_size(&self) -> i64 {
        256
    }

    fn perform<'a>(&'a self, jobs: &'a [ClaimedJob]) -> BoxFuture<'a, Result<Vec<(i64, JobError)>, JobError>> {
        let read = |key: &str| {
            Some(JobPayload::Rematch {
                session: key.parse::<Uuid>().ok()?,
            })
        };
        async move {
            let sessions: Vec<Uuid> = jobs.iter().filter_map(|job| job.key.as_deref()?.parse().ok()).collect();
            ids::ask(&self.applier.pool, &sessions).await?;
            self.applier.apply_keys(jobs, read, "its key is no session id").await
        }
        .boxed()
    }
}
