//! What was asked of the simulator and what became of its notifications, kept in memory: the tests' witness.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

/// One call of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiCall {
    /// Since the simulator began.
    pub at: Duration,
    /// For example `rfqs/arfq-30000001`, or `webhooks/settings`.
    pub resource: String,
    /// What it got.
    pub outcome: CallResult,
}

/// What a call got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallResult {
    /// What it asked for.
    Served,
    /// As it was before the last change.
    Stale,
    /// 404.
    NotThere,
    /// A fault of this kind.
    Faulty(&'static str),
    /// 401 or 400: credentials or headers are not as they must be.
    Refused(&'static str),
    /// 429: the limit was exceeded.
    OverLimit,
}

impl CallResult {
    fn word(self) -> String {
        match self {
            Self::Served => "served".to_owned(),
            Self::Stale => "stale".to_owned(),
            Self::NotThere => "not there".to_owned(),
            Self::Faulty(what) => format!("fault: {what}"),
            Self::Refused(why) => format!("refused: {why}"),
            Self::OverLimit => "over the limit".to_owned(),
        }
    }
}

/// What became of the notifications.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeliveryLog {
    /// To be sent, duplicates included.
    pub planned: usize,
    /// Answered 200.
    pub delivered: usize,
    /// Not sent, as no active setting subscribes to its event.
    pub unsubscribed: usize,
    /// Not accepted within 48 hours.
    pub given_up: usize,
    /// Requests made.
    pub requests: usize,
    /// Requests without credentials that were answered with a challenge.
    pub challenged: usize,
    /// Answers other than 200, and requests without an answer, as `0`; challenges are not among them.
    pub refusals: BTreeMap<u16, usize>,
}

impl DeliveryLog {
    /// Whether nothing is left to be sent.
    pub fn is_done(&self) -> bool {
        self.delivered + self.unsubscribed + self.given_up >= self.planned
    }
}

/// The log.
#[derive(Debug)]
pub struct CallLog {
    began: Instant,
    calls: Mutex<Vec<ApiCall>>,
    deliveries: Mutex<DeliveryLog>,
}

impl CallLog {
    /// An empty one that begins now.
    pub fn begin() -> Self {
        Self {
            began: Instant::now(),
            calls: Mutex::default(),
            deliveries: Mutex::default(),
        }
    }

    /// Notes a call that came at this instant.
    pub fn call(&self, at: Instant, resource: String, outcome: CallResult) {
        let at = at.saturating_duration_since(self.began);
        lock(&self.calls).push(ApiCall { at, resource, outcome });
    }

    /// Notes something about the notifications.
    pub fn delivery(&self, note: impl FnOnce(&mut DeliveryLog)) {
        note(&mut lock(&self.deliveries));
    }

    /// All calls so far, in the order of their answers.
    pub fn calls(&self) -> Vec<ApiCall> {
        lock(&self.calls).clone()
    }

    /// What became of the notifications so far.
    pub fn deliveries(&self) -> DeliveryLog {
        lock(&self.deliveries).clone()
    }

    /// Calls by outcome.
    pub fn outcomes(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in lock(&self.calls).iter() {
            *counts.entry(call.outcome.word()).or_default() += 1;
        }
        counts
    }

    /// Calls that a whole document answered.
    pub fn served(&self) -> usize {
        let calls = lock(&self.calls);
        calls
            .iter()
            .filter(|call| matches!(call.outcome, CallResult::Served | CallResult::Stale))
            .count()
    }

    /// Calls that were over the limit.
    pub fn over_limit(&self) -> usize {
        lock(&self.calls)
            .iter()
            .filter(|call| call.outcome == CallResult::OverLimit)
            .count()
    }

    /// How many calls too many the worst window held: the most by which the calls of any window exceed `burst` and
    /// `rate` a second of its length. None too many is 0 or less.
    ///
    /// Of all windows, those count that begin with a call and end with one: a bucket that drains tells the worst.
    pub fn excess(&self, rate: f64, burst: u32) -> f64 {
        let mut calls: Vec<Duration> = lock(&self.calls).iter().map(|call| call.at).collect();
        calls.sort_unstable();
        let (mut level, mut last, mut worst) = (0.0_f64, Duration::ZERO, 0.0_f64);
        for at in calls {
            level = (level - (at - last).as_secs_f64() * rate).max(0.0) + 1.0;
            last = at;
            worst = worst.max(level);
        }
        worst - f64::from(burst)
    }
}

/// What a panic of another thread left is still a list.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
