//! A worker: claims a batch, has it served, settles what was left unfinished. The loop is dull; the step is public and
//! tells what happened, so that tests drain the queue without sleeping.

use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::disposition::{JobDisposition, remedy};
use super::job::{ClaimedJob, JobError, JobHandler};
use super::retry::RetryPolicy;
use super::{claim, lease, release};
use crate::domain::job_kind::JobKind;
use crate::heartbeat::Heartbeat;
use crate::postgres::transaction::Pool;

/// What every worker of a process shares.
pub struct Worker {
    /// The database, as the handlers use it too. A worker that keeps to one connection finds its plans and the server's
    /// caches warm there.
    pub pool: Pool,
    /// Another way to the database, by which leases are kept up while a handler has the first.
    pub leases: Pool,
    /// One handler a kind; earlier ones are served first.
    pub handlers: Vec<Arc<dyn JobHandler>>,
    /// How long a claim holds; extended every third of it while a handler works.
    pub lease: Duration,
    /// How long an idle worker waits before it looks again by itself.
    pub poll: Duration,
    /// Retries and deaths.
    pub retry: RetryPolicy,
    /// Rung when jobs were queued: by the receiver of the same process and by the listener.
    pub wake: Arc<Notify>,
}

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkerStep {
    /// Jobs claimed.
    pub claimed: usize,
    /// Jobs put back to be tried again.
    pub put_back: usize,
    /// Jobs that died.
    pub died: usize,
    /// A claim came back full: there is probably more.
    pub more: bool,
}

impl Worker {
    /// Works until `shutdown`. A step that has begun is finished (the process bounds how long it waits for that).
    pub async fn work(&self, name: &str, pulse: &Heartbeat, shutdown: &CancellationToken) {
        let mut failures = 0;
        while !shutdown.is_cancelled() {
            pulse.beat();
            // Interest is registered before the table is read: a ring in between is not lost.
            let rung = self.wake.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();
            let stepped = async {
                if failures > 0 {
                    // What the failed step held could not be settled: nobody would touch it for the length of a lease.
                    release::expire_leases(&self.pool, name).await?;
                }
                self.step(name, shutdown).await
            };
            let pause = match stepped.await {
                Ok(step) => {
                    failures = 0;
                    if step.more {
                        // Let an idle colleague help.
                        self.wake.notify_one();
                    }
                    if step.claimed > 0 { Duration::ZERO } else { self.poll }
                }
                Err(error) => {
                    failures += 1;
                    if failures == 1 {
                        tracing::warn!(%error, worker = name, "the queue could not be reached; trying again");
                    }
                    self.retry
                        .delay(failures)
                        .min(Duration::from_secs(5))
                        .max(Duration::from_millis(50))
                }
            };
            if pause > Duration::ZERO {
                let jittered = pause.mul_f64(rand::rng().random_range(0.75..1.25));
                tokio::select! {
                    () = rung, if failures == 0 => {}
                    () = tokio::time::sleep(jittered) => {}
                    () = shutdown.cancelled() => {}
                }
            }
        }
    }

    /// One round over all kinds, the most urgent first: claim, serve, settle. Each kind has its turn, so that a flood of
    /// the urgent one holds up the others for a batch at a time.
    ///
    /// # Errors
    /// The database could not be asked for work, or a job could not be settled; leases then run out by themselves.
    pub async fn step(&self, name: &str, shutdown: &CancellationToken) -> Result<WorkerStep, sqlx::Error> {
        let mut step = WorkerStep::default();
        let mut handlers = &self.handlers[..];
        while !handlers.is_empty() {
            let wanted: Vec<_> = handlers.iter().map(|it| (it.kind(), it.batch_size())).collect();
            let claimed = claim::claim(&self.pool, &wanted, name, self.lease).await?;
            let Some((place, handler)) = claimed
                .first()
                .and_then(|job| handlers.iter().enumerate().find(|(_, it)| it.kind() == job.kind))
            else {
                break;
            };
            handlers = &handlers[place + 1..];
            step.claimed += claimed.len();
            step.more |= i64::try_from(claimed.len()).unwrap_or(i64::MAX) >= handler.batch_size();
            if shutdown.is_cancelled() {
                release::release(&self.pool, &claimed).await?;
                break;
            }
            let (mut alone, together): (Vec<_>, Vec<_>) = claimed.into_iter().partition(|job| job.isolated);
            if !together.is_empty() {
                self.serve(handler.as_ref(), &together, &alone, &mut step).await?;
            }
            while let Some(job) = alone.pop() {
                self.serve_alone(handler.as_ref(), &job, &alone, &mut step).await?;
            }
        }
        Ok(step)
    }

    async fn serve_alone(
        &self,
        handler: &dyn JobHandler,
        job: &ClaimedJob,
        waiting: &[ClaimedJob],
        step: &mut WorkerStep,
    ) -> Result<(), sqlx::Error> {
        if job.crashes >= self.retry.max_crashes {
            let reason = format!("its worker died {} times while it ran alone", job.crashes);
            step.died += usize::from(release::dead_letter(&self.pool, job, &reason).await?);
            return Ok(());
        }
        if release::begin_isolated(&self.pool, std::slice::from_ref(job)).await? {
            self.serve(handler, std::slice::from_ref(job), waiting, step).await?;
        }
        Ok(())
    }

    /// Serves a batch; one that failed as a whole is redone job by job. Leases of `waiting`, which come after, are kept
    /// up as well.
    async fn serve(
        &self,
        handler: &dyn JobHandler,
        batch: &[ClaimedJob],
        waiting: &[ClaimedJob],
        step: &mut WorkerStep,
    ) -> Result<(), sqlx::Error> {
        match self.perform(handler, batch, waiting, !batch[0].isolated).await {
            Ok(unfinished) => {
                for (id, error) in unfinished {
                    if let Some(job) = batch.iter().find(|job| job.id == id) {
                        self.settle(handler.kind(), job, error, step).await?;
                    }
                }
            }
            Err(error) if batch.len() == 1 => self.settle(handler.kind(), &batch[0], error, step).await?,
            Err(error) => {
                tracing::debug!(kind = %handler.kind(), jobs = batch.len(), %error, "a batch is redone job by job");
                for (position, job) in batch.iter().enumerate() {
                    let later: Vec<ClaimedJob> = batch[position + 1..].iter().chain(waiting).cloned().collect();
                    let one = std::slice::from_ref(job);
                    match self.perform(handler, one, &later, false).await {
                        Ok(unfinished) => {
                            for (_, error) in unfinished {
                                self.settle(handler.kind(), job, error, step).await?;
                            }
                        }
                        Err(error) => self.settle(handler.kind(), job, error, step).await?,
                    }
                }
            }
        }
        Ok(())
    }

    async fn perform(
        &self,
        handler: &dyn JobHandler,
        batch: &[ClaimedJob],
        waiting: &[ClaimedJob],
        claimed_just_now: bool,
    ) -> Result<Vec<(i64, JobError)>, JobError> {
        let held: Vec<ClaimedJob> = batch.iter().chain(waiting).cloned().collect();
        let work = handler.perform(batch);
        let within = self.lease * lease::WORK_LEASES;
        lease::run_with_heartbeat(&self.leases, &held, self.lease, within, claimed_just_now, work).await
    }

    async fn settle(
        &self,
        kind: JobKind,
        job: &ClaimedJob,
        error: JobError,
        step: &mut WorkerStep,
    ) -> Result<(), sqlx::Error> {
        match remedy(job, &error, &self.retry) {
            JobDisposition::DeadLetter(reason) => self.bury(kind, job, &reason, step).await,
            JobDisposition::Reschedule(back) => {
                if back.counts {
                    let delay = back.delay;
                    tracing::warn!(%kind, job = job.id, attempt = job.attempts, %error, ?delay, "a job is to be tried again");
                }
                if release::reschedule(&self.pool, &[back]).await? > 0 {
                    step.put_back += 1;
                }
                Ok(())
            }
        }
    }

    async fn bury(
        &self,
        kind: JobKind,
        job: &ClaimedJob,
        reason: &str,
        step: &mut WorkerStep,
    ) -> Result<(), sqlx::Error> {
        tracing::warn!(%kind, job = job.id, delivery = ?job.delivery_id, reason, "a job died");
        step.died += usize::from(release::dead_letter(&self.pool, job, reason).await?);
        Ok(())
    }
}
