//! The rules of the rate limit, as a pure state machine: the token bucket, a circuit breaker, pauses that the server asks
//! for, and a suspension when it rejects our credentials.

use std::time::Duration;

use chrono::{DateTime, Utc};

use super::restrictions::{CallRestrictions, PROBE_INTERVAL, Refusal, RefusalScope};
use super::token_bucket::{Availability, BegunCall, TokenBucket, delta};

/// The pause after a 429 that names none.
const PAUSE: Duration = Duration::from_secs(30);
/// A server that asks for a longer pause gets this one.
const PAUSE_MAX: Duration = Duration::from_secs(3600);
/// The longest time for which a low quota slows calls down.
const SLOW_MAX: Duration = Duration::from_secs(60);

/// The outcome of a call, as far as the limit is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallOutcome {
    /// The server answered, with a document or a refusal of this resource.
    Success,
    /// A time-out, no connection or a server error, for this key.
    Failure {
        key: String,
    },
    RateLimited {
        retry_after: Option<Duration>,
    },
    /// The server refused access to this key, or to everything.
    Unauthorized {
        key: String,
        reason: String,
        /// The key failed before.
        retried: bool,
    },
}

/// The server's own count of our calls.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RemainingQuota {
    pub limit: Option<u32>,
    pub remaining: Option<u32>,
    /// Time until the server's window begins again.
    pub reset: Option<Duration>,
}

/// A change of the restrictions that is worth a log line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimiterEvent {
    Suspended { reason: String, pause: Duration },
    Resumed,
    BreakerOpened(Duration),
    BreakerClosed,
    Paused(Duration),
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportResult {
    pub event: Option<LimiterEvent>,
    /// Given if the call was refused.
    pub refusal: Option<RefusalScope>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LimiterState {
    bucket: TokenBucket,
    pub restrictions: CallRestrictions,
    /// A probe is in flight.
    probing: bool,
    /// When the last probe began, or the breaker opened.
    probed_at: Option<DateTime<Utc>>,
    credentials: String,
}

impl LimiterState {
    /// The state of other credentials is dropped.
    pub fn new(bucket: TokenBucket, credentials: String, mut restrictions: CallRestrictions) -> Self {
        restrictions.forget_other_credentials(&credentials);
        Self {
            bucket,
            restrictions,
            probing: false,
            probed_at: None,
            credentials,
        }
    }

    /// The time until which no call starts. `untried`: for a key that has not failed, which the breaker does not hold back.
    pub fn blocked_until(&self, untried: bool, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let open_until = self.restrictions.breaker.open_until.filter(|_| !untried);
        let waits = [self.restrictions.held_until(untried), open_until];
        waits.into_iter().flatten().filter(|until| *until > now).max()
    }

    /// The calls that may start. While [`Self::untried_only`], they are for keys that have not failed.
    pub fn available(&mut self, now: DateTime<Utc>) -> Availability {
        let untried = self.untried_only(now);
        let spaced = untried && !self.restrictions.tries_others_freely();
        let next_probe = self.probed_at.filter(|_| spaced).map(|at| at + delta(PROBE_INTERVAL));
        let blocked = self.blocked_until(untried, now).max(next_probe.filter(|at| *at > now));
        if let Some(until) = blocked {
            return Availability::After((until - now).to_std().unwrap_or_default());
        }
        let available = self.bucket.available(now, self.cost(now));
        match available {
            Availability::Tokens(_) if self.probes() => Availability::Tokens(1),
            _ => available,
        }
    }

    /// True while the keys that have failed wait: the breaker is open, the credentials are suspended, or a probe is in flight.
    pub fn untried_only(&self, now: DateTime<Utc>) -> bool {
        let breaker_until = self.restrictions.breaker.open_until;
        let suspended_until = self.restrictions.suspension.as_ref().map(|it| it.until);
        self.probes() && (self.probing || breaker_until.max(suspended_until).is_some_and(|until| until > now))
    }

    /// A call begins.
    pub fn begin(&mut self, now: DateTime<Utc>) -> BegunCall {
        if self.probes() {
            self.probed_at = Some(now);
        }
        self.bucket.begin(now)
    }

    /// No key that has not failed has a job: while the credentials are suspended, another process may lead.
    pub fn nothing_untried(&mut self, now: DateTime<Utc>) {
        self.restrictions.nothing_untried(now);
    }

    /// Takes tokens that are [`available`](Self::available) now.
    pub fn take(&mut self, tokens: u32) {
        self.bucket.take(tokens);
        self.probing = self.probes();
    }

    /// Returns the token of a call that was not made.
    pub fn put_back(&mut self) {
        self.bucket.put_back();
        self.probing = false;
    }

    /// Ends a call without an outcome: it was cancelled.
    pub fn finish(&mut self, call: BegunCall, now: DateTime<Utc>) {
        self.bucket.finish(call, now, self.cost(now));
        self.probing = false;
    }

    /// Ends a call with an outcome.
    pub fn report(
        &mut self,
        call: BegunCall,
        outcome: &CallOutcome,
        quota: RemainingQuota,
        now: DateTime<Utc>,
    ) -> ReportResult {
        self.finish(call, now);
        self.apply_quota(quota, now);
        let (event, refusal) = match outcome {
            CallOutcome::Success => (self.succeeded(), None),
            CallOutcome::Failure { key } => (self.failed(key, now), None),
            CallOutcome::RateLimited { retry_after } => (self.rate_limited(*retry_after, now), None),
            CallOutcome::Unauthorized { key, reason, retried } => {
                self.close_breaker();
                let refusal = Refusal {
                    key,
                    reason,
                    retried: *retried,
                };
                let (suspended, scope) = self.restrictions.refused(&refusal, &self.credentials, now);
                let event = suspended.map(|pause| LimiterEvent::Suspended {
                    reason: reason.clone(),
                    pause,
                });
                (event, Some(scope))
            }
        };
        ReportResult { event, refusal }
    }

    fn succeeded(&mut self) -> Option<LimiterEvent> {
        let was_open = self.close_breaker();
        match self.restrictions.accepted(&self.credentials) {
            true => Some(LimiterEvent::Resumed),
            false => was_open.then_some(LimiterEvent::BreakerClosed),
        }
    }

    fn failed(&mut self, key: &str, now: DateTime<Utc>) -> Option<LimiterEvent> {
        let open = self.restrictions.breaker.failed(key, now)?;
        self.probed_at = Some(now);
        Some(LimiterEvent::BreakerOpened(open))
    }

    fn rate_limited(&mut self, retry_after: Option<Duration>, now: DateTime<Utc>) -> Option<LimiterEvent> {
        self.close_breaker();
        let pause = retry_after.unwrap_or(PAUSE).clamp(Duration::from_secs(1), PAUSE_MAX);
        let paused_until = &mut self.restrictions.paused_until;
        let was_paused = paused_until.is_some_and(|until| until > now);
        *paused_until = (*paused_until).max(Some(now + delta(pause)));
        (!was_paused).then_some(LimiterEvent::Paused(pause))
    }

    /// An answer of any kind shows that the server is up. Returns whether the breaker was open.
    fn close_breaker(&mut self) -> bool {
        std::mem::take(&mut self.restrictions.breaker).open_until.is_some()
    }

    /// Nothing left is a pause; a tenth left halves the rate.
    fn apply_quota(&mut self, quota: RemainingQuota, now: DateTime<Utc>) {
        let Some(remaining) = quota.remaining else { return };
        let reset = quota.reset.unwrap_or(Duration::from_secs(1));
        let CallRestrictions {
            paused_until,
            slow_until,
            ..
        } = &mut self.restrictions;
        if remaining == 0 {
            *paused_until = (*paused_until).max(Some(now + delta(reset.min(PAUSE_MAX))));
        } else if remaining <= quota.limit.unwrap_or_default() / 10 {
            *slow_until = (*slow_until).max(Some(now + delta(reset.min(SLOW_MAX))));
        }
    }

    /// One call at a time probes the server.
    fn probes(&self) -> bool {
        self.restrictions.suspension.is_some() || self.restrictions.breaker.open_until.is_some()
    }

    fn cost(&self, now: DateTime<Utc>) -> i64 {
        1 + i64::from(self.restrictions.slow_until.is_some_and(|until| until > now))
    }
}

#[cfg(test)]
mod tests;
