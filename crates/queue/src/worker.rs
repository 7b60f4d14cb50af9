//! A worker: claims batches, has their handlers serve them, and settles what they left unfinished. [`Worker::step`] returns
//! its result, so that tests run the queue until it is idle without waiting.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rand::RngExt;
use tokio::sync::Notify;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use super::claim::{Claim, Claimer};
use super::handler::{JobBatch, UnfinishedJobs};
use super::job::{ClaimedJob, JobError};
use super::lease::HeldLeases;
use super::release;
use super::retry::RetryPolicy;
use super::running_claims::RunningClaims;
use super::settle::{self, SettledJobs};
use crate::heartbeat::Heartbeat;
use ingest_postgres::transaction::Pool;

/// Work is given up after this many leases, or after [`Worker::min_work_limit`].
const WORK_LEASES: u32 = 5;
const BACKOFF_MIN: Duration = Duration::from_millis(50);
const BACKOFF_MAX: Duration = Duration::from_secs(5);

pub struct Worker {
    /// For claims and settling. A worker with a connection of its own finds its plans and the server's caches warm.
    pub pool: Pool,
    /// For renewing leases while a handler has the connection above.
    pub leases: Pool,
    pub claimer: Box<dyn Claimer>,
    /// Batches that are served at the same time, so that a slow one does not hold up the others.
    pub concurrency: usize,
    /// The length of a claim; renewed while a handler works.
    pub lease: Duration,
    /// Work has at least this long, whatever the lease: a call that is slow to fail must be awaited.
    pub min_work_limit: Duration,
    /// An idle worker looks for jobs at this interval without being woken.
    pub poll: Duration,
    /// It waits this long after it was woken, so that a burst of wakes is one claim.
    pub wake_delay: Duration,
    pub retry: RetryPolicy,
    /// Notified when jobs were inserted.
    pub wake: Arc<Notify>,
}

/// The result of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkerStep {
    pub batches: usize,
    /// The jobs of those batches.
    pub jobs: usize,
    pub settled: SettledJobs,
    /// Nothing can be claimed for this time.
    pub wait: Option<Duration>,
}

type Served = Result<WorkerStep, sqlx::Error>;

enum ClaimResult {
    Started,
    Nothing {
        wait: Option<Duration>,
    },
    /// A running claim has to end first.
    Full,
}

impl Worker {
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(60);
    pub const DEFAULT_POLL: Duration = Duration::from_secs(1);

    pub fn new(pool: Pool, leases: Pool, claimer: impl Claimer + 'static) -> Self {
        Self {
            pool,
            leases,
            claimer: Box::new(claimer),
            concurrency: 1,
            lease: Self::DEFAULT_LEASE,
            min_work_limit: Duration::ZERO,
            poll: Self::DEFAULT_POLL,
            wake_delay: Duration::ZERO,
            retry: RetryPolicy::default(),
            wake: Arc::default(),
        }
    }

    /// Works until `shutdown`, and then finishes what it has begun. The caller bounds the time for that.
    pub async fn work(self: &Arc<Self>, name: &str, heartbeat: &Heartbeat, shutdown: &CancellationToken) {
        let mut running = RunningClaims::none(&self.pool);
        while !shutdown.is_cancelled() {
            heartbeat.beat();
            // Registered before the table is read: a notification in between is not lost.
            let woken = self.wake.notified();
            tokio::pin!(woken);
            woken.as_mut().enable();
            let poll = self.poll.mul_f64(rand::rng().random_range(0.75..1.25));
            let (wakes, pause) = match self.claim(name, &mut running, shutdown).await {
                Ok(ClaimResult::Started) => continue,
                Ok(ClaimResult::Nothing { wait: None }) => (true, poll),
                Ok(ClaimResult::Nothing { wait: Some(wait) }) => (false, wait.min(self.poll)),
                Ok(ClaimResult::Full) => (false, self.poll),
                Err(error) => (false, self.back_off(name, &mut running, &error)),
            };
            tokio::select! {
                () = woken, if wakes => if !self.wake_delay.is_zero() {
                    tokio::time::sleep(self.wake_delay).await;
                },
                // It may have inserted jobs, or released a key or a permit.
                Some(ended) = running.next_ended() => match ended.unwrap_or_else(resume_panic) {
                    Ok(_) => running.failures = 0,
                    Err(error) => {
                        let pause = self.back_off(name, &mut running, &error);
                        let _ = tokio::time::timeout(pause, shutdown.cancelled()).await;
                    }
                },
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => {}
            }
        }
        while running.next_ended().await.is_some() {}
    }

    /// Serves one claim to its end.
    ///
    /// # Errors
    /// The database failed. The leases of unsettled jobs run out.
    pub async fn step(&self, name: &str) -> Result<WorkerStep, sqlx::Error> {
        let claim = self
            .claimer
            .claim(&self.pool, name, self.concurrency, self.lease)
            .await?;
        self.serve(claim).await
    }

    /// Claims what there is room for, and starts to serve it.
    async fn claim(
        self: &Arc<Self>,
        name: &str,
        running: &mut RunningClaims<Served>,
        shutdown: &CancellationToken,
    ) -> Result<ClaimResult, sqlx::Error> {
        let idle = running.is_empty();
        running.draining &= !idle;
        running.release_unserved(&self.pool, name).await?;
        let room = self.concurrency.saturating_sub(running.len());
        if running.draining || room == 0 {
            return Ok(ClaimResult::Full);
        }
        let mut claim = self.claimer.claim(&self.pool, name, room, self.lease).await?;
        if claim.batches.is_empty() {
            running.failures = 0;
            return Ok(ClaimResult::Nothing { wait: claim.wait });
        }
        if shutdown.is_cancelled() {
            release::release(&self.pool, claim.jobs()).await?;
            return Ok(ClaimResult::Full);
        }
        if claim.more {
            // Let an idle worker help.
            self.wake.notify_one();
        }
        running.draining = claim.batches.iter().any(JobBatch::is_isolated);
        if running.draining && !idle {
            let isolated: Vec<JobBatch> = claim.batches.extract_if(.., |batch| batch.is_isolated()).collect();
            release::release(&self.pool, isolated.iter().flat_map(|batch| &batch.jobs)).await?;
        }
        let claims = match running.draining && idle {
            true => vec![claim],
            false => claim.batches.into_iter().map(Claim::of).collect(),
        };
        for claim in claims {
            let worker = self.clone();
            running.start(claim, |claim| async move { worker.serve(claim).await });
        }
        Ok(ClaimResult::Started)
    }

    /// Serves the batches of a claim: the isolated ones last, one after the other.
    async fn serve(&self, claim: Claim) -> Result<WorkerStep, sqlx::Error> {
        let mut step = WorkerStep {
            batches: claim.batches.len(),
            jobs: claim.jobs().count(),
            wait: claim.wait,
            ..WorkerStep::default()
        };
        let (isolated, together): (Vec<_>, Vec<_>) = claim.batches.into_iter().partition(JobBatch::is_isolated);
        let waiting: Vec<ClaimedJob> = isolated.iter().flat_map(|batch| &batch.jobs).cloned().collect();
        let served = join_all(together.iter().map(|batch| self.serve_batch(batch, &waiting, true))).await;
        for settled in served {
            step.settled += settled?;
        }
        let mut waiting = &waiting[..];
        for batch in &isolated {
            waiting = &waiting[batch.jobs.len()..];
            step.settled += settle::dead_letter_crashed(&self.pool, &batch.jobs, &self.retry).await?;
            if release::begin_isolated(&self.pool, &batch.jobs, batch.is_alone()).await? {
                step.settled += self.serve_batch(batch, waiting, false).await?;
            }
        }
        Ok(step)
    }

    /// Serves a batch; one that failed as a whole is redone in parts. Renews the leases of `waiting` jobs as well.
    async fn serve_batch(
        &self,
        batch: &JobBatch,
        waiting: &[ClaimedJob],
        fresh: bool,
    ) -> Result<SettledJobs, sqlx::Error> {
        let unfinished = match self.perform(batch, waiting, fresh).await {
            Ok(unfinished) => unfinished,
            Err(error) if batch.jobs.len() > 1 && batch.permit.is_none() => {
                tracing::debug!(jobs = batch.jobs.len(), "a batch failed, redoing it in parts: {error}");
                return self.redo_in_parts(batch, waiting).await;
            }
            Err(error) => batch.jobs.iter().map(|job| (job.id, error.clone())).collect(),
        };
        settle::settle(&self.pool, batch, unfinished, &self.retry).await
    }

    /// Serves the parts of a failed batch, and those of a part that fails job by job: one bad job costs a few batches more, and
    /// harms no other.
    async fn redo_in_parts(&self, batch: &JobBatch, waiting: &[ClaimedJob]) -> Result<SettledJobs, sqlx::Error> {
        let mut settled = SettledJobs::default();
        let mut parts: Vec<&[ClaimedJob]> = batch.jobs.chunks(settle::part_size(batch.jobs.len())).rev().collect();
        while let Some(jobs) = parts.pop() {
            let part = JobBatch {
                handler: batch.handler.clone(),
                jobs: jobs.to_vec(),
                permit: None,
            };
            let later: Vec<_> = parts.iter().copied().flatten().chain(waiting).cloned().collect();
            let unfinished = match self.perform(&part, &later, false).await {
                Ok(unfinished) => unfinished,
                Err(_) if jobs.len() > 1 => {
                    parts.extend(jobs.chunks(1).rev());
                    continue;
                }
                Err(error) => jobs.iter().map(|job| (job.id, error.clone())).collect(),
            };
            settled += settle::settle(&self.pool, &part, unfinished, &self.retry).await?;
        }
        Ok(settled)
    }

    async fn perform(&self, batch: &JobBatch, waiting: &[ClaimedJob], fresh: bool) -> Result<UnfinishedJobs, JobError> {
        let leases = HeldLeases {
            pool: &self.leases,
            held: batch.jobs.iter().chain(waiting).cloned().collect(),
            lease: self.lease,
            fresh,
        };
        let limit = (self.lease * WORK_LEASES).max(self.min_work_limit);
        leases.run_with_heartbeat(limit, batch.handler.perform(batch)).await
    }

    /// Returns how long to wait after a failure of the database.
    fn back_off(&self, worker: &str, running: &mut RunningClaims<Served>, error: &sqlx::Error) -> Duration {
        running.unsettled = true;
        running.failures = running.failures.saturating_add(1);
        if running.failures == 1 {
            tracing::warn!(worker, "worker {worker} cannot reach the queue, will retry: {error}");
        }
        self.retry.delay(running.failures).clamp(BACKOFF_MIN, BACKOFF_MAX)
    }
}

/// A panic outside of a handler is a bug of the worker, and ends it.
fn resume_panic(error: JoinError) -> Result<WorkerStep, sqlx::Error> {
    match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(error) => Err(sqlx::Error::Protocol(error.to_string())),
    }
}
