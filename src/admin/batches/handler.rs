//! The job `run_batch`: one step of a batch that was begun over HTTP. It comes back for the next step, so a restart of the service
//! continues the batch.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::time::Instant;
use uuid::Uuid;

use super::ending::fail;
use super::error::BatchError;
use super::observer::BatchObserver;
use super::record::get;
use super::{BatchStep, StepsBy, dry_run, step};
use crate::jobs::apply::JobApplier;
use crate::jobs::traced::traced;
use crate::queue::claim_by_kind::KindHandler;
use crate::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use crate::queue::job::{ClaimedJob, JobError};
use crate::queue::job_kind::JobKind;
use crate::queue::outcomes::{self, JobOutcome};
use crate::store::batches::BatchRow;

/// The longest pause between two steps.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// The pause while many jobs wait.
const WAIT_PAUSE: Duration = Duration::from_secs(1);

struct RunBatchHandler {
    applier: Arc<JobApplier>,
}

/// The handler of the kind.
pub fn kind_handler(applier: Arc<JobApplier>) -> KindHandler {
    KindHandler {
        kind: JobKind::RunBatch,
        batch_size: 1,
        handler: traced(&applier.pool.clone(), Arc::new(RunBatchHandler { applier })),
    }
}

impl JobHandler for RunBatchHandler {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            let mut unfinished = Vec::new();
            for job in &batch.jobs {
                if let Err(error) = self.run(job).await {
                    unfinished.push((job.id, error));
                }
            }
            Ok(unfinished)
        }
        .boxed()
    }
}

impl RunBatchHandler {
    async fn run(&self, job: &ClaimedJob) -> Result<(), JobError> {
        let key = job.key.as_deref().unwrap_or_default();
        let id: Uuid = key
            .parse()
            .map_err(|_| JobError::fail(format!("invalid key {key:?}: not a batch id")))?;
        let pool = &self.applier.pool;
        let began = Instant::now();
        let made = match get(pool, id).await {
            Ok(batch) if batch.dry_run => dry_run::run(&self.applier, id, &Unobserved)
                .await
                .map(|_| BatchStep::Finished),
            Ok(_) => step(pool, id, StepsBy::Worker).await,
            Err(error) => Err(error),
        };
        let (outcome, detail) = match made {
            Ok(BatchStep::Done) => {
                let pause = began.elapsed().min(MAX_PAUSE);
                return Err(JobError::snooze("a step is done, the next one follows", pause));
            }
            Ok(BatchStep::Waits) => return Err(JobError::snooze("waits until fewer jobs are due", WAIT_PAUSE)),
            Ok(BatchStep::Finished) => ("applied", "the batch is finished"),
            Ok(BatchStep::Stopped) => ("ignored", "the batch was stopped"),
            Err(BatchError::Unknown(_)) => ("gone", "the batch was deleted"),
            Err(BatchError::Finished(_)) => ("ignored", "the batch was finished already"),
            Err(BatchError::Job(error)) => return Err(error),
            Err(BatchError::Database(error)) => return Err(error.into()),
            Err(
                error @ (BatchError::NoFilter
                | BatchError::Unreadable { .. }
                | BatchError::NotCounted(_)
                | BatchError::Begun(_)
                | BatchError::OtherText(_)),
            ) => {
                // Its job is dead now, and takes no further step.
                if let Err(unrecorded) = fail(pool, id, &error).await {
                    tracing::warn!(batch = %id, "failed to record that batch {id} failed: {unrecorded}");
                }
                return Err(JobError::fail(error.to_string()));
            }
        };
        let finished = |job: &ClaimedJob| JobOutcome::new(job.id, outcome, detail);
        outcomes::complete_held(pool, std::slice::from_ref(job), finished).await?;
        Ok(())
    }
}

struct Unobserved;

impl BatchObserver for Unobserved {
    fn stops(&self) -> bool {
        false
    }

    fn stepped(&self, _: &BatchRow, _: bool) {}
}
