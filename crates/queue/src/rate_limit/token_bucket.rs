//! A token bucket in which a call holds its token until it ends, or until the server must have counted it ([`COUNTED_WITHIN`]).
//! The token refills from then on: a call without an answer does not hold up the others.
//!
//! **No window of `t` seconds sees more than `burst + per_second * t` calls**, wherever on their way the calls are counted
//! (test `no_window_of_calls_exceeds_the_limit`).
//!
//! Proof: when the last call of a window gets its token, every other call of the window holds one, or gave its token back within
//! the window, because it was not counted before. Held tokens are no others', and those given back refill at the rate, so
//! there are at most `burst + per_second * t`.
//!
//! Slow calls cost no throughput while `burst` is more than `per_second` times their duration, or two seconds if that is less.

use std::collections::VecDeque;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// The server counts a call when its request arrives: within this time after it began, or before it ends.
pub const COUNTED_WITHIN: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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
    /// When the tokens that were given back are refilled (GCRA's theoretical arrival time).
    full_at: DateTime<Utc>,
    /// Tokens that were taken for calls that have not begun.
    reserved: u32,
    /// When the calls that hold a token give it back, unless they end before; the earliest first.
    held_until: VecDeque<DateTime<Utc>>,
}

/// A call that has begun, by the time at which it gives its token back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BegunCall(DateTime<Utc>);

impl TokenBucket {
    pub fn full(limit: RateLimit, now: DateTime<Utc>) -> Self {
        Self {
            limit,
            full_at: now,
            reserved: 0,
            held_until: VecDeque::new(),
        }
    }

    pub fn empty(limit: RateLimit, now: DateTime<Utc>) -> Self {
        Self::full(limit, now + TimeDelta::microseconds(limit.capacity()))
    }

    pub fn available(&mut self, now: DateTime<Utc>, cost: i64) -> Availability {
        self.refill(now, cost);
        let cost = self.limit.interval().saturating_mul(cost);
        let refilling = (self.full_at - now).num_microseconds().unwrap_or(i64::MAX).max(0);
        let held = i64::from(self.reserved).saturating_add(i64::try_from(self.held_until.len()).unwrap_or(i64::MAX));
        let held = cost.saturating_mul(held);
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

    /// Takes tokens for calls that begin later.
    pub fn take(&mut self, tokens: u32) {
        self.reserved = self.reserved.saturating_add(tokens);
    }

    /// Returns the token of a call that was not made.
    pub fn put_back(&mut self) {
        self.reserved = self.reserved.saturating_sub(1);
    }

    /// Begins a call with a token that was taken.
    pub fn begin(&mut self, now: DateTime<Utc>) -> BegunCall {
        self.reserved = self.reserved.saturating_sub(1);
        let until = now + delta(COUNTED_WITHIN);
        self.held_until.push_back(until);
        BegunCall(until)
    }

    /// Ends a call: if it still holds its token, that refills from now on.
    pub fn finish(&mut self, call: BegunCall, now: DateTime<Utc>, cost: i64) {
        self.refill(now, cost);
        if let Some(place) = self.held_until.iter().position(|until| *until == call.0) {
            self.held_until.remove(place);
            self.give_back(now, cost);
        }
    }

    /// The tokens of calls that have been counted by now refill from that time on.
    fn refill(&mut self, now: DateTime<Utc>, cost: i64) {
        while let Some(counted) = self.held_until.pop_front_if(|until| *until <= now) {
            self.give_back(counted, cost);
        }
    }

    fn give_back(&mut self, at: DateTime<Utc>, cost: i64) {
        let refill = TimeDelta::microseconds(self.limit.interval().saturating_mul(cost));
        self.full_at = self.full_at.max(at) + refill;
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
