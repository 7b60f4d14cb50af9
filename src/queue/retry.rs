//! How long a job waits before it is tried again: exponential with full jitter.
//!
//! The only place that knows the `backoff` crate (unmaintained, see deny.toml): it turns an attempt into a delay.

use std::time::Duration;

use backoff::backoff::Backoff;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

/// Delays for attempts, and how many attempts there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most that the first retry waits.
    pub base: Duration,
    /// The most that any retry waits.
    pub max: Duration,
    /// A job that has failed this often dies.
    pub max_attempts: i32,
    /// A job whose lone runs have ended this often with their worker dies.
    pub max_crashes: i32,
}

impl Default for RetryPolicy {
    /// Twenty attempts, at most half a second up to a quarter of an hour apart: about two hours in all.
    fn default() -> Self {
        Self {
            base: Duration::from_millis(500),
            max: Duration::from_secs(900),
            max_attempts: 20,
            max_crashes: 3,
        }
    }
}

impl RetryPolicy {
    /// The delay after failed attempt number `attempt` (1 is the first): anywhere between nothing and
    /// `base * 2^(attempt-1)`, at most `max`, so that jobs that failed together do not come back together.
    pub fn delay(&self, attempt: i32) -> Duration {
        // backoff spreads an interval by ±100 %; half the wanted ceiling makes that nothing to all of it.
        let mut exponential: ExponentialBackoff = ExponentialBackoffBuilder::new()
            .with_initial_interval(self.base / 2)
            .with_max_interval(self.max / 2)
            .with_multiplier(2.0)
            .with_randomization_factor(1.0)
            .with_max_elapsed_time(None)
            .build();
        // Doubling from a millisecond passes any ceiling in 40 steps.
        let steps = attempt.clamp(1, 40);
        (0..steps)
            .filter_map(|_| exponential.next_backoff())
            .last()
            .unwrap_or(self.max)
            .min(self.max)
    }
}

#[cfg(test)]
mod tests;
