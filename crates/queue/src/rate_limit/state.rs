//! The rules of the rate limit, as a pure state machine: the token bucket, a circuit breaker, pauses that the server asks
//! for, and a suspension when it rejects our credentials.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::token_bucket::{Availability, TokenBucket, micros};

/// Failed calls in a row, each for another key than the one before, after which the breaker opens.
const BREAKER_FAILURES: u32 = 5;
/// First time that the breaker stays open; doubled each further time.
const BREAKER_OPEN: Duration = Duration::from_secs(5);
const BREAKER_OPEN_MAX: Duration = Duration::from_secs(300);
/// First suspension after rejected credentials; doubled each further time.
const SUSPENSION: Duration = Duration::from_secs(30);
const SUSPENSION_MAX: Duration = Duration::from_secs(900);
/// The pause after a 429 that names none.
const PAUSE: Duration = Duration::from_secs(30);
/// A server that asks for a longer pause gets this one.
const PAUSE_MAX: Duration = Duration::from_secs(3600);
/// The longest time for which a low quota slows calls down.
const SLOW_MAX: Duration = Duration::from_secs(60);

/// Why calls are held back. The leader publishes it in its lease row, and the next leader takes it over.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallRestrictions {
    /// Until then a call costs two tokens.
    pub slow_until: Option<DateTime<Utc>>,
    pub paused_until: Option<DateTime<Utc>>,
    pub breaker: CircuitBreaker,
    pub suspension: Option<Suspension>,
}

impl CallRestrictions {
    /// The time for which the credentials are still suspended.
    pub fn suspended_for(&self, now: DateTime<Utc>) -> Option<Duration> {
        let until = self.suspension.as_ref()?.until;
        (until - now).to_std().ok().filter(|wait| !wait.is_zero())
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CircuitBreaker {
    /// Failed calls in a row, each for another key than the one before.
    pub failures: u32,
    /// The key of the last of them. Another failure of this key is not evidence that the server is down.
    pub failed_key: Option<String>,
    /// Times in a row that the breaker has opened.
    pub opened: u32,
    /// Set until a call succeeds; after this time one call at a time probes the server.
    pub open_until: Option<DateTime<Utc>>,
}

/// The server rejects our credentials. After `until` one call at a time probes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    pub reason: String,
    pub until: DateTime<Utc>,
    /// Times in a row that the credentials were rejected.
    pub times: u32,
    /// A digest of the credentials: others are not suspended.
    pub credentials: String,
}

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
    Unauthorized {
        reason: String,
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
    /// The credentials were rejected before this call already, and not accepted since: the call says nothing about its
    /// resource.
    pub was_suspended: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct LimiterState {
    bucket: TokenBucket,
    pub restrictions: CallRestrictions,
    /// A probe is in flight.
    probing: bool,
    credentials: String,
}

impl LimiterState {
    /// A suspension of other credentials is dropped.
    pub fn new(bucket: TokenBucket, credentials: String, mut restrictions: CallRestrictions) -> Self {
        restrictions.suspension = restrictions.suspension.filter(|it| it.credentials == credentials);
        Self {
            bucket,
            restrictions,
            probing: false,
            credentials,
        }
    }

    /// The time until which no call starts: calls are paused, the breaker is open, or the credentials are suspended.
    pub fn blocked_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let CallRestrictions {
            paused_until,
            breaker,
            suspension,
            slow_until: _,
        } = &self.restrictions;
        let waits = [
            *paused_until,
            breaker.open_until,
            suspension.as_ref().map(|it| it.until),
        ];
        waits.into_iter().flatten().filter(|until| *until > now).max()
    }

    pub fn available(&self, now: DateTime<Utc>) -> Availability {
        if let Some(until) = self.blocked_until(now) {
            return Availability::After((until - now).to_std().unwrap_or_default());
        }
        let available = self.bucket.available(now, self.cost(now));
        match available {
            Availability::Tokens(_) if self.probes() && self.probing => Availability::After(BREAKER_OPEN),
            Availability::Tokens(_) if self.probes() => Availability::Tokens(1),
            _ => available,
        }
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
    pub fn finish(&mut self, now: DateTime<Utc>) {
        self.bucket.finish(now, self.cost(now));
        self.probing = false;
    }

    /// Ends a call with an outcome.
    pub fn report(&mut self, outcome: &CallOutcome, quota: RemainingQuota, now: DateTime<Utc>) -> ReportResult {
        self.finish(now);
        let was_suspended = self.restrictions.suspension.is_some();
        self.apply_quota(quota, now);
        let event = match outcome {
            CallOutcome::Success => self.succeeded(),
            CallOutcome::Failure { key } => self.failed(key, now),
            CallOutcome::RateLimited { retry_after } => self.rate_limited(*retry_after, now),
            CallOutcome::Unauthorized { reason } => self.unauthorized(reason, now),
        };
        ReportResult { event, was_suspended }
    }

    fn succeeded(&mut self) -> Option<LimiterEvent> {
        let was_open = self.close_breaker();
        match self.restrictions.suspension.take() {
            Some(_) => Some(LimiterEvent::Resumed),
            None => was_open.then_some(LimiterEvent::BreakerClosed),
        }
    }

    fn failed(&mut self, key: &str, now: DateTime<Utc>) -> Option<LimiterEvent> {
        let breaker = &mut self.restrictions.breaker;
        // A resource that fails again has a growing delay of its own, and must not hold up the others.
        if breaker.failed_key.as_deref() == Some(key) {
            return None;
        }
        breaker.failed_key = Some(key.to_owned());
        breaker.failures = breaker.failures.saturating_add(1);
        // Calls that were in flight when it opened are not evidence of anything new.
        if breaker.failures < BREAKER_FAILURES || breaker.open_until.is_some_and(|until| until > now) {
            return None;
        }
        let open = doubled(BREAKER_OPEN, breaker.opened, BREAKER_OPEN_MAX);
        breaker.open_until = Some(now + delta(open));
        breaker.opened = breaker.opened.saturating_add(1);
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

    fn unauthorized(&mut self, reason: &str, now: DateTime<Utc>) -> Option<LimiterEvent> {
        self.close_breaker();
        let known = self.restrictions.suspension.as_ref();
        if known.is_some_and(|known| known.until > now) {
            return None;
        }
        let times = known.map_or(0, |known| known.times);
        let pause = doubled(SUSPENSION, times, SUSPENSION_MAX);
        self.restrictions.suspension = Some(Suspension {
            reason: reason.to_owned(),
            until: now + delta(pause),
            times: times.saturating_add(1),
            credentials: self.credentials.clone(),
        });
        (times == 0).then(|| LimiterEvent::Suspended {
            reason: reason.to_owned(),
            pause,
        })
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

fn doubled(first: Duration, times: u32, max: Duration) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(max)
}

fn delta(span: Duration) -> TimeDelta {
    TimeDelta::microseconds(micros(span))
}

#[cfg(test)]
mod tests;
