//! The rate limit as the server keeps it: a bucket that holds a burst and refills at the rate. It is the judge of whoever
//! calls, so it is exact, and shares nothing with the service's own limiter.

use std::time::Duration;

use tokio::time::Instant;

/// Calls allowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RateLimit {
    /// A second.
    pub rate: f64,
    /// At once, after a rest.
    pub burst: u32,
}

impl Default for RateLimit {
    /// What integrators have seen: about one call a second, with bursts.
    fn default() -> Self {
        Self { rate: 1.0, burst: 10 }
    }
}

/// What a call is told of its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitDecision {
    /// Whether the call is within the limit.
    pub within: bool,
    /// Calls at once, at most.
    pub limit: u32,
    /// Calls left at once.
    pub remaining: u32,
    /// Until the next call is allowed, or where some are, until all are again. At least a second, as whole seconds tell it.
    pub reset: Duration,
}

/// The bucket.
#[derive(Debug)]
pub struct TokenBucket {
    allowance: RateLimit,
    filled: f64,
    at: Instant,
}

impl TokenBucket {
    /// A full one.
    pub fn full(allowance: RateLimit, now: Instant) -> Self {
        Self {
            allowance,
            filled: f64::from(allowance.burst),
            at: now,
        }
    }

    /// Counts a call. One beyond the limit takes nothing out.
    pub fn take(&mut self, now: Instant) -> RateLimitDecision {
        let burst = f64::from(self.allowance.burst);
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * self.allowance.rate;
        self.filled = (self.filled + gained).min(burst);
        self.at = self.at.max(now);
        let within = self.filled >= 1.0;
        let missing = if within {
            self.filled -= 1.0;
            burst - self.filled
        } else {
            1.0 - self.filled
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to the burst"
        )]
        let remaining = self.filled.floor() as u32;
        let reset = Duration::try_from_secs_f64((missing / self.allowance.rate).ceil());
        RateLimitDecision {
            within,
            limit: self.allowance.burst,
            remaining,
            reset: reset.unwrap_or(Duration::MAX).max(Duration::from_secs(1)),
        }
    }
}

#[cfg(test)]
mod tests;
