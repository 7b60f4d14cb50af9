//! The interface between a worker and the code that does a job.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::job::{ClaimedJob, JobError};
use super::rate_limit::limiter::Permit;

/// Jobs that a worker claimed together.
pub struct JobBatch {
    pub handler: Arc<dyn JobHandler>,
    /// Never empty, ordered by id.
    pub jobs: Vec<ClaimedJob>,
    /// For a batch that was claimed by key: permission for the one call that serves all of it.
    pub permit: Option<Permit>,
}

impl JobBatch {
    /// A worker died while it held one of the jobs: nothing else runs beside them.
    pub fn is_isolated(&self) -> bool {
        self.jobs.iter().any(|job| job.isolated)
    }

    /// One job, or the one call of a key.
    pub fn is_alone(&self) -> bool {
        self.jobs.len() == 1 || self.permit.is_some()
    }
}

/// The jobs that a handler left unfinished, and why.
pub type UnfinishedJobs = Vec<(i64, JobError)>;

/// Serves batches of claimed jobs.
pub trait JobHandler: Send + Sync {
    /// Finishes jobs in a transaction of its own, fenced by [`super::claim::lock_held`], and returns those it left
    /// unfinished. An error says that nothing was changed: a batch of several jobs without a permit is then redone in
    /// parts, so that one bad job harms no other.
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>>;
}
