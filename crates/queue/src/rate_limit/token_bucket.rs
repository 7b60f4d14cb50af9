//! A token bucket in which a call holds its token until it ends, and the token refills from then on.
//!
//! **No window of `t` seconds sees more than `burst + per_second * t` calls**, wherever on their way the calls are counted
//! (test `no_window_of_calls_exceeds_the_limit`).
//!
//! Proof: when the last call of a window gets its token, every other call of the window is in flight or ended within it.
//! In-flight calls hold a token and ended ones refill at the rate, so there are at most `burst + per_second * t`.
//!
//! Slow calls cost no throughput while `burst` is more than `per_second` times their duration.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// Calls per second in the long run; above zero.
    pub per_second: f64,
    /// Calls in a row after a pause; at least one.
    pub burst: u32,
}

impl RateLimit {
    /// The microseconds in which a token refills.
    pub(super) fn interval(&self) -> i64 {
        micros(Duration::from_secs_f64(1.0 / self.per_second)).max(1)
    }

    fn capacity(&self) -> i64 {
        self.interval().saturating_mul(i64::from(self.burst))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// At least one token.
    Tokens(u32),
    /// No token before this time has passed.
    After(Duration),
}

/// Time is a parameter, and never goes backwards. A call costs one token, or more while the server says that little of its
/// own quota is left.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenBucket {
    limit: RateLimit,
    /// When the tokens of all calls that have ended are refilled (GCRA's theoretical arrival time).
    full_at: DateTime<Utc>,
    in_flight: u32,
}

impl TokenBucket {
    pub fn full(limit: RateLimit, now: DateTime<Utc>) -> Self {
        Self {
            limit,
            full_at: now,
            in_flight: 0,
        }
    }

    pub fn empty(limit: RateLimit, now: DateTime<Utc>) -> Self {
        Self::full(limit, now + TimeDelta::microseconds(limit.capacity()))
    }

    pub fn available(&self, now: DateTime<Utc>, cost: i64) -> Availability {
        let cost = self.limit.interval().saturating_mul(cost);
        let refilling = (self.full_at - now).num_microseconds().unwrap_or(i64::MAX).max(0);
        let held = cost.saturating_mul(i64::from(self.in_flight));
        let room = self.limit.capacity().saturating_sub(refilling).saturating_sub(held);
        // A call that costs more than the whole bucket is let through when the bucket is full.
        let tokens = if refilling == 0 && held == 0 {
            (room / cost).max(1)
        } else {
            room / cost
        };
        if tokens < 1 {
            // If all calls ended now, their tokens would still have to refill.
            let missing = cost.saturating_sub(room).min(refilling.saturating_add(held));
            return Availability::After(Duration::from_micros(missing.max(1).unsigned_abs()));
        }
        Availability::Tokens(u32::try_from(tokens).unwrap_or(u32::MAX).min(self.limit.burst))
    }

    pub fn take(&mut self, tokens: u32) {
        self.in_flight = self.in_flight.saturating_add(tokens);
    }

    /// Returns the token of a call that was not made.
    pub fn put_back(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Ends a call: its token refills from now on.
    pub fn finish(&mut self, now: DateTime<Utc>, cost: i64) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let refill = TimeDelta::microseconds(self.limit.interval().saturating_mul(cost));
        self.full_at = self.full_at.max(now) + refill;
    }
}

pub(super) fn doubled(first: Duration, times: u32, max: Duration) -> Duration {
    first.saturating_mul(1 << times.min(16)).min(max)
}

pub(super) fn delta(span: Duration) -> TimeDelta {
    TimeDelta::microseconds(micros(span))
}

/// Rounded up to Postgres's precision.
pub(super) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_nanos().div_ceil(1000)).unwrap_or(i64::MAX / 4)
}

#[cfg(test)]
mod tests;
