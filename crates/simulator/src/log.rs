//! A record of the API calls and the notifications, in memory, for summaries and tests.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiCall {
    /// Since the start of the simulator.
    pub at: Duration,
    /// For example `rfqs/arfq-30000001`, or `webhooks/settings`.
    pub resource: String,
    pub result: CallResult,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallResult {
    Served,
    /// The document before its last change.
    Stale,
    /// 404.
    NotFound,
    /// A simulated fault of this kind.
    Fault(&'static str),
    /// 400, 401 or 422, for this reason.
    Refused(&'static str),
    /// 429: the caller exceeded the limit.
    OverLimit,
}

impl CallResult {
    fn label(self) -> String {
        match self {
            Self::Served => "served".to_owned(),
            Self::Stale => "stale".to_owned(),
            Self::NotFound => "not found".to_owned(),
            Self::Fault(kind) => format!("fault: {kind}"),
            Self::Refused(reason) => format!("refused: {reason}"),
            Self::OverLimit => "over the limit".to_owned(),
        }
    }
}

/// Counts of notifications; `requests` and later fields count HTTP requests.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeliveryLog {
    /// With duplicates.
    pub planned: usize,
    /// Answered 200.
    pub delivered: usize,
    /// Not sent, because no active setting subscribes to the event type.
    pub unsubscribed: usize,
    /// Not accepted within 48 hours.
    pub given_up: usize,
    pub requests: usize,
    /// Requests without credentials that were answered with a challenge.
    pub challenged: usize,
    /// By status other than 200, without challenges; 0 counts requests without an answer.
    pub refusals: BTreeMap<u16, usize>,
}

impl DeliveryLog {
    pub fn is_done(&self) -> bool {
        self.delivered + self.unsubscribed + self.given_up >= self.planned
    }
}

#[derive(Debug)]
pub struct CallLog {
    began: Instant,
    calls: Mutex<Vec<ApiCall>>,
    deliveries: Mutex<DeliveryLog>,
}

impl CallLog {
    pub fn begin() -> Self {
        Self {
            began: Instant::now(),
            calls: Mutex::default(),
            deliveries: Mutex::default(),
        }
    }

    pub fn record_call(&self, at: Instant, resource: String, result: CallResult) {
        let at = at.saturating_duration_since(self.began);
        lock(&self.calls).push(ApiCall { at, resource, result });
    }

    pub fn record_delivery(&self, record: impl FnOnce(&mut DeliveryLog)) {
        record(&mut lock(&self.deliveries));
    }

    /// Returns the calls so far, in the order of their answers.
    pub fn calls(&self) -> Vec<ApiCall> {
        lock(&self.calls).clone()
    }

    pub fn deliveries(&self) -> DeliveryLog {
        lock(&self.deliveries).clone()
    }

    /// Counts the calls by result.
    pub fn results(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for call in lock(&self.calls).iter() {
            *counts.entry(call.result.label()).or_default() += 1;
        }
        counts
    }

    /// Counts the calls that were answered with a document.
    pub fn served(&self) -> usize {
        self.count(|result| matches!(result, CallResult::Served | CallResult::Stale))
    }

    pub fn over_limit(&self) -> usize {
        self.count(|result| result == CallResult::OverLimit)
    }

    fn count(&self, accept: impl Fn(CallResult) -> bool) -> usize {
        lock(&self.calls).iter().filter(|call| accept(call.result)).count()
    }

    /// Returns the number of calls by which the worst window exceeds `burst` plus `rate` per second of its length; 0 or less if
    /// no window does.
    ///
    /// Computed as the highest level of a bucket that drains at `rate`: the worst window begins and ends with a call.
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

/// Locks a mutex; a panic of another thread does not make its data unusable.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
