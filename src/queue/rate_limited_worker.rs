//! A worker of what is limited: claims whole keys as slots allow, and serves several at once, so that a slow one holds up no
//! other. As with the plain worker the loop is dull, and the step is public and tells what happened.
//!
//! It never sleeps on a claim: what has no slot stays in the queue, and the claim tells how long until there is one.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rand::RngExt;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::claim_by_key::{self, KeyBatch, KeyHandler};
use super::disposition::{JobDisposition, remedy};
use super::job::{ClaimedJob, JobError};
use super::limiter::Limiter;
use super::retry::RetryPolicy;
use super::{lease, release, standing};
use crate::heartbeat::Heartbeat;
use crate::postgres::transaction::Pool;

/// The most keys that one claim takes: their calls all have to begin in time.
const MOST_AT_ONCE: usize = 8;
/// How soon after a look in vain the next one may be, however often the bell rings: it rings for other jobs, too.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// What a paced worker works with.
pub struct RateLimitedWorker {
    /// The database, as the handler uses it too.
    pub pool: Pool,
    /// Another way to the database, by which leases are kept up.
    pub leases: Pool,
    /// The limit that it shares with all others.
    pub limiter: Limiter,
    /// Serves the keys.
    pub handler: Arc<dyn KeyHandler>,
    /// How many keys are served at once, at most.
    pub at_once: usize,
    /// How long a claim holds; extended while a key is served.
    pub lease: Duration,
    /// How long an idle worker waits before it looks again by itself.
    pub poll: Duration,
    /// Retries and deaths.
    pub retry: RetryPolicy,
    /// Rung when jobs were queued.
    pub bell: Arc<Notify>,
}

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PacedStep {
    /// Keys claimed and served.
    pub keys: usize,
    /// Jobs of them.
    pub jobs: usize,
    /// Jobs are due, and there is no slot for so long.
    pub wait: Option<Duration>,
}

/// What the next round is to wait for.
enum Next {
    Nothing,
    Slot(Duration),
    Work,
}

impl RateLimitedWorker {
    /// Works until `shutdown`. What has begun is finished (the process bounds how long it waits for that).
    pub async fn work(self: &Arc<Self>, name: &str, pulse: &Heartbeat, shutdown: &CancellationToken) {
        let mut running = JoinSet::new();
        let mut seen: Option<Instant> = None;
        let mut looked_in_vain: Option<Instant> = None;
        let mut failures = 0;
        while !shutdown.is_cancelled() {
            pulse.beat();
            // Interest is registered before the table is read: a ring in between is not lost.
            let rung = self.bell.notified();
            tokio::pin!(rung);
            rung.as_mut().enable();
            let round = async {
                if seen.is_none_or(|seen| seen.elapsed() > standing::SEEN_EVERY) {
                    self.limiter.register(&self.pool).await?;
                    seen = Some(Instant::now());
                }
                if failures > 0 && running.is_empty() {
                    // What was claimed and could not be settled: nobody would touch it for the length of a lease.
                    release::expire_leases(&self.pool, name).await?;
                }
                self.round(name, &mut running, pulse, shutdown).await
            };
            let next = match round.await {
                Ok(next) => {
                    failures = 0;
                    next
                }
                Err(error) => {
                    failures += 1;
                    if failures == 1 {
                        tracing::warn!(%error, worker = name, "keys could not be claimed; trying again");
                    }
                    let pause = self.retry.delay(failures).min(Duration::from_secs(5));
                    Next::Slot(pause.max(Duration::from_millis(50)))
                }
            };
            match next {
                Next::Nothing => {}
                Next::Slot(wait) => tokio::select! {
                    () = tokio::time::sleep(wait.min(self.poll)) => {}
                    // Its slot begins to fill once all know of its end.
                    Some(_) = running.join_next() => {}
                    () = shutdown.cancelled() => {}
                },
                Next::Work => {
                    let poll = self.poll.mul_f64(rand::rng().random_range(0.75..1.25));
                    tokio::select! {
                        () = rung => {
                            if let Some(rest) = looked_in_vain.and_then(|it| BETWEEN_LOOKS.checked_sub(it.elapsed())) {
                                tokio::time::sleep(rest).await;
                            }
                        }
                        // It may have queued more, or freed a key for which something waits.
                        Some(_) = running.join_next() => {}
                        () = tokio::time::sleep(poll) => {}
                        () = shutdown.cancelled() => {}
                    }
                    looked_in_vain = Some(Instant::now());
                }
            }
            while running.try_join_next().is_some() {}
        }
        while running.join_next().await.is_some() {}
        if let Err(error) = self.limiter.tell(&self.pool).await {
            tracing::debug!(%error, "the others learn of the last calls' end when their time has passed");
        }
    }

    /// Claims and begins. A key that was taken over from a worker that died waits until nothing else is under way.
    async fn round(
        self: &Arc<Self>,
        name: &str,
        running: &mut JoinSet<()>,
        pulse: &Heartbeat,
        shutdown: &CancellationToken,
    ) -> Result<Next, sqlx::Error> {
        let free = self.at_once.saturating_sub(running.len());
        if free == 0 {
            let _ = tokio::time::timeout(self.poll, running.join_next()).await;
            return Ok(Next::Nothing);
        }
        let claim = self.claim(name, free).await?;
        if claim.groups.is_empty() {
            return Ok(claim.wait.map_or(Next::Work, Next::Slot));
        }
        if shutdown.is_cancelled() {
            give_back(&self.pool, &claim.groups).await?;
            return Ok(Next::Nothing);
        }
        let (mut alone, together): (Vec<KeyBatch>, Vec<KeyBatch>) =
            claim.groups.into_iter().partition(KeyBatch::is_isolated);
        if alone.is_empty() || !running.is_empty() {
            for group in together {
                let this = self.clone();
                running.spawn(async move { this.serve_and_tell(&group).await });
            }
            if !alone.is_empty() {
                give_back(&self.pool, &alone).await?;
                while !running.is_empty() {
                    pulse.beat();
                    let _ = tokio::time::timeout(self.poll, running.join_next()).await;
                }
            }
            return Ok(Next::Nothing);
        }
        let first = alone.swap_remove(0);
        alone.extend(together);
        give_back(&self.pool, &alone).await?;
        self.serve(&first).await?;
        Ok(Next::Nothing)
    }

    /// One claim, served to its end: what the loop does, without leaving anything under way.
    ///
    /// # Errors
    /// The database could not be asked, or a job not be settled; leases then run out by themselves.
    pub async fn step(&self, name: &str) -> Result<PacedStep, sqlx::Error> {
        let claim = self.claim(name, self.at_once).await?;
        let mut groups = claim.groups;
        if let Some(place) = groups.iter().position(KeyBatch::is_isolated) {
            let first = groups.swap_remove(place);
            give_back(&self.pool, &groups).await?;
            groups = vec![first];
        }
        let step = PacedStep {
            keys: groups.len(),
            jobs: groups.iter().map(|group| group.jobs.len()).sum(),
            wait: claim.wait,
        };
        for served in join_all(groups.iter().map(|group| self.serve(group))).await {
            served?;
        }
        Ok(step)
    }

    async fn claim(&self, name: &str, free: usize) -> Result<claim_by_key::KeyClaim, sqlx::Error> {
        let most = u32::try_from(free.min(MOST_AT_ONCE)).unwrap_or(1);
        let kinds = self.handler.kinds();
        claim_by_key::claim(&self.pool, &self.limiter, kinds, most, name, self.lease).await
    }

    async fn serve_and_tell(&self, group: &KeyBatch) {
        if let Err(error) = self.serve(group).await {
            tracing::warn!(%error, key = group.key, "a key could not be settled; its leases run out by themselves");
        }
    }

    async fn serve(&self, group: &KeyBatch) -> Result<(), sqlx::Error> {
        if group.is_isolated() {
            for job in group.jobs.iter().filter(|job| job.crashes >= self.retry.max_crashes) {
                let reason = format!("its worker died {} times while its key ran alone", job.crashes);
                tracing::warn!(kind = %job.kind, job = job.id, key = group.key, reason, "a job died");
                release::dead_letter(&self.pool, job, &reason).await?;
            }
            if !release::begin_isolated(&self.pool, &group.jobs).await? {
                return Ok(());
            }
        }
        let work = self.handler.perform(group);
        let kept_up = lease::run_with_heartbeat(&self.leases, &group.jobs, self.lease, self.work_within(), true, work);
        let unfinished = match kept_up.await {
            Ok(unfinished) => unfinished,
            Err(error) => group.jobs.iter().map(|job| (job.id, error.clone())).collect(),
        };
        self.settle(group, unfinished).await
    }

    /// How long serving a key may take: whatever the lease, a call that is slow to fail is heard out, so that the limiter
    /// learns of it, and there is time for what is made of it.
    fn work_within(&self) -> Duration {
        (self.lease * lease::WORK_LEASES).max(self.limiter.call_within * 2)
    }

    async fn settle(&self, group: &KeyBatch, unfinished: Vec<(i64, JobError)>) -> Result<(), sqlx::Error> {
        let (mut back, mut failed) = (Vec::new(), None);
        for (id, error) in unfinished {
            let Some(job) = group.jobs.iter().find(|job| job.id == id) else {
                continue;
            };
            match remedy(job, &error, &self.retry) {
                JobDisposition::DeadLetter(reason) => self.bury(group, job, &reason).await?,
                JobDisposition::Reschedule(job) => {
                    if job.counts {
                        failed = failed.or(Some((error, job.delay, job.job.attempts)));
                    }
                    back.push(job);
                }
            }
        }
        if let Some((error, delay, attempt)) = failed {
            let jobs = back.len();
            tracing::warn!(key = group.key, jobs, attempt, %error, ?delay, "a key is to be tried again");
        }
        if !back.is_empty() {
            release::reschedule(&self.pool, &back).await?;
        }
        Ok(())
    }

    async fn bury(&self, group: &KeyBatch, job: &ClaimedJob, reason: &str) -> Result<(), sqlx::Error> {
        let (kind, delivery) = (job.kind, job.delivery_id);
        tracing::warn!(%kind, job = job.id, key = group.key, ?delivery, reason, "a job died");
        release::dead_letter(&self.pool, job, reason).await?;
        Ok(())
    }
}

async fn give_back(pool: &Pool, groups: &[KeyBatch]) -> Result<u64, sqlx::Error> {
    let jobs: Vec<ClaimedJob> = groups.iter().flat_map(|group| group.jobs.iter().cloned()).collect();
    release::release(pool, &jobs).await
}
