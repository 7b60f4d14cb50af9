//! Competes for the lease of the process that fetches, and fetches while this process leads (docs/adr/0002).

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::status::LEASE;
use crate::heartbeat::Heartbeat;
use crate::postgres::transaction::Pool;
use crate::queue::claim_by_key::{ClaimByKey, MAX_KEYS, is_untried_due};
use crate::queue::handler::JobHandler;
use crate::queue::job_kind::JobKind;
use crate::queue::leader::{self, HOLD, LeaderLease, VALID};
use crate::queue::rate_limit::limiter::RateLimiter;
use crate::queue::rate_limit::restrictions::CallRestrictions;
use crate::queue::rate_limit::token_bucket::RateLimit;
use crate::queue::release;
use crate::queue::retry::RetryPolicy;
use crate::queue::worker::Worker;

const COMPETE_EVERY: Duration = Duration::from_secs(1);
/// Keys that are fetched at the same time.
const CONCURRENCY_MIN: u8 = 8;
const CONCURRENCY_MAX: u8 = 64;
/// Wakes are for jobs of all kinds.
const WAKE_DELAY: Duration = Duration::from_millis(20);

/// A process that can fetch. It does so while it holds the lease.
pub struct FetchLeader {
    pub pool: Pool,
    /// For renewing the leases of jobs.
    pub leases: Pool,
    /// A connection that nothing delays, for renewing the leader lease.
    pub leader_leases: Pool,
    pub handler: Arc<dyn JobHandler>,
    pub limit: RateLimit,
    /// A digest of the credentials.
    pub credentials: String,
    /// The longest that a call takes.
    pub call_timeout: Duration,
    pub lease: Duration,
    pub poll: Duration,
    pub retry: RetryPolicy,
    pub wake: Arc<Notify>,
}

impl FetchLeader {
    /// Competes and fetches until `shutdown`, and then finishes the calls in flight.
    pub async fn run(&self, process: &str, heartbeat: &Heartbeat, shutdown: &CancellationToken) {
        let lease = LeaderLease {
            pool: self.leader_leases.clone(),
            name: LEASE.into(),
            holder: format!("{process}/{LEASE}"),
        };
        // Suspended credentials must not keep others from leading: they compete only if there is another resource to try.
        let (mut compete_at, mut suspended) = (Instant::now(), false);
        while !shutdown.is_cancelled() {
            heartbeat.beat();
            if compete_at <= Instant::now() && !(suspended && self.has_nothing_to_try(&lease).await) {
                let pause = self.compete(&lease, heartbeat, shutdown).await;
                suspended = !pause.is_zero();
                compete_at = Instant::now() + pause;
            }
            tokio::select! {
                () = sleep(COMPETE_EVERY) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// True while the credentials are suspended and no other resource than those that failed has a due job.
    async fn has_nothing_to_try(&self, lease: &LeaderLease) -> bool {
        let nothing_to_try = async {
            let Some(row) = leader::read(&lease.pool, LEASE).await? else {
                return Ok(false);
            };
            match CallRestrictions::failed_while_suspended(row.status, &self.credentials, row.now) {
                Some(failed) => Ok(!is_untried_due(&lease.pool, &JobKind::FETCHING, &failed).await?),
                None => Ok(false),
            }
        };
        nothing_to_try.await.unwrap_or_else(|error: sqlx::Error| {
            tracing::debug!("failed to look for resources to try, will retry: {error}");
            true
        })
    }

    /// Fetches if no other process leads, until the lease is lost, the credentials are suspended, or `shutdown`. Returns how
    /// long they are suspended.
    async fn compete(&self, lease: &LeaderLease, heartbeat: &Heartbeat, shutdown: &CancellationToken) -> Duration {
        let sent_at = Instant::now();
        let row = match timeout(HOLD, lease.hold(HOLD, None)).await {
            Ok(Ok(Some(row))) => row,
            Ok(Ok(None)) => {
                tracing::debug!("another process fetches from Avinode");
                return Duration::ZERO;
            }
            Ok(Err(error)) => {
                tracing::debug!("failed to acquire lease {LEASE}, will retry: {error}");
                return Duration::ZERO;
            }
            Err(_) => {
                tracing::debug!("failed to acquire lease {LEASE}, will retry: no answer in time");
                return Duration::ZERO;
            }
        };
        let limiter = RateLimiter::take_over(self.limit, self.credentials.clone(), row, sent_at + VALID);
        let suspended = limiter.suspended_for().is_some();
        if suspended || self.fetch(lease, &limiter, heartbeat, shutdown).await {
            let status = limiter.restrictions().borrow().clone();
            lease.release(serde_json::to_value(status).ok()).await;
        }
        limiter.suspended_for().unwrap_or_default()
    }

    /// Returns whether the lease is still held.
    async fn fetch(
        &self,
        lease: &LeaderLease,
        limiter: &Arc<RateLimiter>,
        heartbeat: &Heartbeat,
        shutdown: &CancellationToken,
    ) -> bool {
        let holder = &lease.holder;
        // While they are suspended, a process leads again and again, for moments, to try resources that were not refused.
        let tries = limiter.restrictions().borrow().suspension.is_some();
        if tries {
            tracing::debug!(holder, "{holder} tries credentials that are suspended");
        } else {
            tracing::info!(holder, "{holder} fetches from Avinode from now on");
        }
        // Jobs of a leader that died need not wait for their leases to run out.
        if let Err(error) = release::expire_kinds(&self.pool, &JobKind::FETCHING).await {
            tracing::debug!("failed to end the leases of the previous leader, they will run out: {error}");
        }
        let stop = shutdown.child_token();
        let worker = Arc::new(self.worker(lease.clone(), limiter.clone()));
        let stop_when_suspended = async {
            limiter.suspended().await;
            stop.cancel();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = worker.work(holder, heartbeat, &stop) => {
                if tries {
                    tracing::debug!(holder, "{holder} tried credentials that are suspended");
                } else {
                    tracing::info!(holder, "{holder} no longer fetches from Avinode");
                }
                true
            }
            () = lease.keep(&limiter.valid_until, limiter.restrictions()) => {
                tracing::warn!(holder, "{holder} lost lease {LEASE}, its calls in flight are cancelled");
                false
            }
            () = stop_when_suspended => unreachable!("it only stops the worker"),
        }
    }

    /// The worker of a leader.
    pub fn worker(&self, lease: LeaderLease, limiter: Arc<RateLimiter>) -> Worker {
        // Enough for all calls that the limit allows in the time that one may take: those that hang leave room for others.
        let wanted = f64::from(self.limit.burst) + self.limit.per_second * self.call_timeout.as_secs_f64();
        let concurrency = (CONCURRENCY_MIN..CONCURRENCY_MAX).find(|keys| f64::from(*keys) >= wanted);
        let concurrency = usize::from(concurrency.unwrap_or(CONCURRENCY_MAX));
        // Calls hold their tokens, at least for a while.
        let calls = concurrency.min(usize::try_from(self.limit.burst).unwrap_or(usize::MAX));
        let claimer = ClaimByKey {
            kinds: &JobKind::FETCHING,
            handler: self.handler.clone(),
            limiter,
            lease,
            max_failed: (calls / 2).max(1),
            max_speculative: (calls / 2).max(1),
            spare_permits: calls.min(MAX_KEYS) / 2,
        };
        Worker {
            concurrency,
            lease: self.lease,
            min_work_limit: self.call_timeout * 2,
            poll: self.poll,
            wake_delay: WAKE_DELAY,
            retry: self.retry,
            wake: self.wake.clone(),
            ..Worker::new(self.pool.clone(), self.leases.clone(), claimer)
        }
    }
}
