//! The rate limiter of a term as leader, and the permits that it hands out. All of it is in memory.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;
use tokio::time::Instant;

use super::restrictions::CallRestrictions;
use super::state::{CallOutcome, LimiterState, RemainingQuota, ReportResult};
use super::token_bucket::{Availability, BegunCall, RateLimit, TokenBucket};
use crate::leader::LeaseRow;

pub struct RateLimiter {
    state: Mutex<LimiterState>,
    /// The database's time, which never goes backwards.
    now: Box<dyn Fn() -> DateTime<Utc> + Send + Sync>,
    published: watch::Sender<CallRestrictions>,
    /// No call starts after this time.
    pub valid_until: watch::Sender<Instant>,
}

impl RateLimiter {
    /// A limiter with a full bucket and no restrictions, for a process that leads for long.
    pub fn new(
        limit: RateLimit,
        credentials: String,
        now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
    ) -> Arc<Self> {
        let bucket = TokenBucket::full(limit, now());
        let state = LimiterState::new(bucket, credentials, CallRestrictions::default());
        Self::with_state(state, now, Instant::now() + Duration::from_secs(24 * 3600))
    }

    /// The limiter of a process that begins to lead. Its bucket is empty: the previous leader used at most the whole burst,
    /// and takes no token any more, so the limit holds across both (docs/adr/0002). The restrictions go on.
    pub fn take_over(limit: RateLimit, credentials: String, row: LeaseRow, valid_until: Instant) -> Arc<Self> {
        let received = Instant::now();
        // The row was on its way for a while, so this is never ahead of the database's clock.
        let now = move || row.now + TimeDelta::from_std(received.elapsed()).unwrap_or_default();
        let published = serde_json::from_value(row.status.unwrap_or_default()).unwrap_or_default();
        let restrictions = CallRestrictions {
            limit: Some(limit),
            ..published
        };
        let state = LimiterState::new(TokenBucket::empty(limit, row.now), credentials, restrictions);
        Self::with_state(state, now, valid_until)
    }

    fn with_state(
        state: LimiterState,
        now: impl Fn() -> DateTime<Utc> + Send + Sync + 'static,
        valid_until: Instant,
    ) -> Arc<Self> {
        Arc::new(Self {
            published: watch::Sender::new(state.restrictions.clone()),
            valid_until: watch::Sender::new(valid_until),
            state: Mutex::new(state),
            now: Box::new(now),
        })
    }

    /// Returns up to `max` permits, at least one, or the time after which there may be one.
    pub fn try_acquire(self: &Arc<Self>, max: usize) -> Result<AcquiredPermits, Duration> {
        let mut state = self.lock();
        let now = (self.now)();
        let tokens = match state.available(now) {
            Availability::Tokens(tokens) => tokens.min(u32::try_from(max).unwrap_or(u32::MAX)),
            Availability::After(wait) => return Err(wait),
        };
        let untried_only = state.untried_only(now);
        state.take(tokens);
        let permit = || Permit {
            limiter: self.clone(),
            untried_only,
            used: AtomicBool::new(false),
        };
        Ok(AcquiredPermits {
            permits: (0..tokens).map(|_| permit()).collect(),
            untried_only,
            failed: state.restrictions.failed_keys(),
        })
    }

    /// The restrictions as they change.
    pub fn restrictions(&self) -> watch::Receiver<CallRestrictions> {
        self.published.subscribe()
    }

    /// The time for which the credentials are still suspended, for every key.
    pub fn suspended_for(&self) -> Option<Duration> {
        self.published.borrow().suspended_for((self.now)())
    }

    /// No key that has not failed has a job. While the credentials are suspended, [`suspended`](Self::suspended) returns.
    pub fn nothing_untried(&self) {
        let mut state = self.lock();
        state.nothing_untried((self.now)());
        self.publish(&state);
    }

    /// Waits until the credentials are suspended for every key.
    pub async fn suspended(&self) {
        let mut restrictions = self.restrictions();
        let is_suspended = |now: &CallRestrictions| now.suspended_for((self.now)()).is_some();
        if restrictions.wait_for(is_suspended).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn publish(&self, state: &LimiterState) {
        let restrictions = &state.restrictions;
        self.published
            .send_if_modified(|published| std::mem::replace(published, restrictions.clone()) != *restrictions);
    }

    fn lock(&self) -> MutexGuard<'_, LimiterState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Permits that were acquired together.
pub struct AcquiredPermits {
    pub permits: Vec<Permit>,
    /// They are for keys that have not failed.
    pub untried_only: bool,
    /// The keys that failed or were refused since the last success, the one that failed longest ago first.
    pub failed: Vec<String>,
}

/// A permit for one call. Dropped unused, it returns its token.
pub struct Permit {
    limiter: Arc<RateLimiter>,
    /// For a key that has not failed: it is valid while the breaker is open.
    untried_only: bool,
    used: AtomicBool,
}

impl Permit {
    /// Starts the call; `None` if it was started before, calls were paused or suspended since the permit was acquired, or the
    /// lease of this process is no longer valid.
    pub fn start(&self) -> Option<InFlightCall<'_>> {
        let mut state = self.limiter.lock();
        let now = (self.limiter.now)();
        let blocked_until = state.blocked_until(self.untried_only, now);
        let is_valid = blocked_until.is_none() && Instant::now() < *self.limiter.valid_until.borrow();
        if !is_valid || self.used.swap(true, Ordering::SeqCst) {
            return None;
        }
        Some(InFlightCall {
            limiter: &self.limiter,
            call: state.begin(now),
            reported: false,
        })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if !*self.used.get_mut() {
            self.limiter.lock().put_back();
        }
    }
}

/// A call in flight, which ends when this is dropped.
pub struct InFlightCall<'p> {
    limiter: &'p RateLimiter,
    call: BegunCall,
    reported: bool,
}

impl InFlightCall<'_> {
    /// Ends the call with its outcome.
    pub fn report(mut self, outcome: &CallOutcome, quota: RemainingQuota) -> ReportResult {
        self.reported = true;
        let mut state = self.limiter.lock();
        let result = state.report(self.call, outcome, quota, (self.limiter.now)());
        self.limiter.publish(&state);
        result
    }
}

impl Drop for InFlightCall<'_> {
    fn drop(&mut self) {
        if !self.reported {
            let now = (self.limiter.now)();
            self.limiter.lock().finish(self.call, now);
        }
    }
}

#[cfg(test)]
mod tests;
