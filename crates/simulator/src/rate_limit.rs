//! The rate limit of the simulated API: a token bucket. It checks the callers, so it is exact, and shares no code with the
//! service's own limiter.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CallQuota {
    /// Calls per second.
    pub rate: f64,
    /// The size of a burst after a pause.
    pub burst: u32,
}

impl Default for CallQuota {
    /// Integrators have seen about one call per second, with bursts.
    fn default() -> Self {
        Self { rate: 1.0, burst: 10 }
    }
}

/// The limit as the headers of an answer show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuotaDecision {
    pub allowed: bool,
    /// The burst.
    pub limit: u32,
    /// Calls that are allowed now.
    pub remaining: u32,
    /// The time until the bucket is full again or, after a refusal, until the next call is allowed. Whole seconds, at least one.
    pub reset: Duration,
}

#[derive(Debug)]
pub struct QuotaBucket {
    limit: CallQuota,
    tokens: f64,
    at: Instant,
}

impl QuotaBucket {
    pub fn full(limit: CallQuota, now: Instant) -> Self {
        Self {
            limit,
            tokens: f64::from(limit.burst),
            at: now,
        }
    }

    /// Counts a call. A refused call takes no token.
    pub fn take(&mut self, now: Instant) -> QuotaDecision {
        let burst = f64::from(self.limit.burst);
        let refill = now.saturating_duration_since(self.at).as_secs_f64() * self.limit.rate;
        self.tokens = (self.tokens + refill).min(burst);
        self.at = self.at.max(now);
        let allowed = self.tokens >= 1.0;
        let missing = if allowed {
            self.tokens -= 1.0;
            burst - self.tokens
        } else {
            1.0 - self.tokens
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "from 0 to the burst"
        )]
        let remaining = self.tokens.floor() as u32;
        let reset = Duration::try_from_secs_f64((missing / self.limit.rate).ceil());
        QuotaDecision {
            allowed,
            limit: self.limit.burst,
            remaining,
            reset: reset.unwrap_or(Duration::MAX).max(Duration::from_secs(1)),
        }
    }
}

#[cfg(test)]
mod tests;
