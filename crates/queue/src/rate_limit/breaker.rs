//! The circuit breaker: it opens when calls for different keys fail one after the other. A key that fails again and again
//! says nothing about the server, and has a growing delay of its own.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::token_bucket::{delta, doubled};

/// Different keys that fail without a success in between, after which the breaker opens.
const FAILED_KEYS: usize = 5;
/// The most keys that are remembered.
const FAILED_KEYS_MAX: usize = 100;
/// First time that the breaker stays open; doubled each further time.
const OPEN: Duration = Duration::from_secs(5);
const OPEN_MAX: Duration = Duration::from_secs(300);

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CircuitBreaker {
    /// The keys that failed since the last success, the one that failed longest ago first.
    pub failed: Vec<String>,
    /// Times in a row that the breaker has opened.
    pub opened: u32,
    /// Set until a call succeeds; after this time one call at a time probes the server.
    pub open_until: Option<DateTime<Utc>>,
}

impl CircuitBreaker {
    /// A call for this key failed. Returns for how long the breaker opens, if it does.
    pub(super) fn failed(&mut self, key: &str, now: DateTime<Utc>) -> Option<Duration> {
        self.failed.retain(|failed| failed != key);
        if self.failed.len() >= FAILED_KEYS_MAX {
            self.failed.remove(0);
        }
        self.failed.push(key.to_owned());
        // While it is open, calls that were in flight fail, and keys that were not tried before.
        if self.failed.len() < FAILED_KEYS || self.open_until.is_some_and(|until| until > now) {
            return None;
        }
        let open = doubled(OPEN, self.opened, OPEN_MAX);
        self.open_until = Some(now + delta(open));
        self.opened = self.opened.saturating_add(1);
        Some(open)
    }
}
