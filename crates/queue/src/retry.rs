//! Delays between attempts: exponential with full jitter.
//!
//! The only module that knows the `backoff` crate (unmaintained, see deny.toml): it turns an attempt into a delay.

use std::time::Duration;

use backoff::backoff::Backoff;
use backoff::{ExponentialBackoff, ExponentialBackoffBuilder};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The upper bound of the first delay.
    pub base: Duration,
    /// The upper bound of every delay.
    pub max: Duration,
    /// A job that has failed this often is dead-lettered.
    pub max_attempts: i32,
    /// A job is dead-lettered when its worker has died this often while it ran alone.
    pub max_crashes: i32,
}

impl RetryPolicy {
    /// Returns the delay after failed attempt number `attempt` (1 is the first): between nothing and
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

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            base: Duration::from_millis(500),
            max: Duration::from_secs(900),
            // With the delays above: about an hour, and at most 2.3 hours.
            max_attempts: 20,
            max_crashes: 3,
        }
    }
}

#[cfg(test)]
mod tests;
