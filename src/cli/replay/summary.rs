//! The summary of `replay`: responses by status, and latencies.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The only status that Avinode's documentation knows for success.
const ACCEPTED: u16 = 200;

/// The last response to a delivery.
#[derive(Debug, Clone)]
pub struct ReplayResponse {
    pub status: u16,
    /// Its beginning.
    pub body: String,
    /// From sending the last request to the end of its response.
    pub latency: Duration,
    /// Earlier responses with status 503.
    pub retries: u32,
}

impl ReplayResponse {
    pub fn accepted(&self) -> bool {
        self.status == ACCEPTED
    }
}

#[derive(Debug, Clone)]
pub struct ReplaySummary {
    /// Deliveries by final status.
    pub by_status: BTreeMap<u16, usize>,
    /// Deliveries without a response.
    pub unsent: usize,
    /// Requests that were answered 503 and retried.
    pub retried: usize,
    /// Of all responses, shortest first.
    latencies: Vec<Duration>,
    elapsed: Duration,
}

impl ReplaySummary {
    pub fn new(results: impl IntoIterator<Item = Result<ReplayResponse, String>>, elapsed: Duration) -> Self {
        let mut summary = Self {
            by_status: BTreeMap::new(),
            unsent: 0,
            retried: 0,
            latencies: Vec::new(),
            elapsed,
        };
        for result in results {
            let Ok(response) = result else {
                summary.unsent += 1;
                continue;
            };
            *summary.by_status.entry(response.status).or_default() += 1;
            summary.retried += response.retries as usize;
            summary.latencies.push(response.latency);
        }
        summary.latencies.sort_unstable();
        summary
    }

    pub fn total(&self) -> usize {
        self.unsent + self.latencies.len()
    }

    /// Deliveries that are stored durably.
    pub fn accepted(&self) -> usize {
        self.by_status.get(&ACCEPTED).copied().unwrap_or(0)
    }

    /// Returns whether every delivery was accepted.
    pub fn is_clean(&self) -> bool {
        self.accepted() == self.total()
    }

    /// Returns the latency that this percentage of the responses did not exceed; `None` without responses.
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        // Nearest rank.
        let rank = (self.latencies.len() * percent.min(100)).div_ceil(100).max(1);
        self.latencies.get(rank - 1).copied()
    }

    /// States how many deliveries were refused or could not be sent.
    pub fn refusal(&self) -> String {
        let refused = self.latencies.len() - self.accepted();
        let total = self.total();
        match (refused, self.unsent) {
            (0, unsent) => format!("{unsent} of {total} deliveries could not be sent"),
            (refused, 0) => format!("{refused} of {total} deliveries were refused"),
            (refused, unsent) => {
                format!("{refused} of {total} deliveries were refused and {unsent} could not be sent")
            }
        }
    }
}

impl fmt::Display for ReplaySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = u32::try_from(self.total()).unwrap_or(u32::MAX);
        let seconds = self.elapsed.as_secs_f64();
        write!(
            f,
            "{total} deliveries in {seconds:.3} s ({:.1} per second)",
            f64::from(total) / seconds.max(1e-9)
        )?;
        for (status, count) in &self.by_status {
            write!(f, "\n  status {status}: {count}")?;
        }
        if self.unsent > 0 {
            write!(f, "\n  not sent: {}", self.unsent)?;
        }
        if self.retried > 0 {
            write!(f, "\n  retried after 503: {}", self.retried)?;
        }
        let percentiles = [("p50", 50), ("p90", 90), ("p99", 99), ("max", 100)];
        let shown = percentiles.into_iter().filter_map(|(name, percent)| {
            self.percentile(percent)
                .map(|latency| format!("{name} {:.2} ms", latency.as_secs_f64() * 1000.0))
        });
        let shown: Vec<String> = shown.collect();
        if shown.is_empty() {
            Ok(())
        } else {
            write!(f, "\n  latency: {}", shown.join(", "))
        }
    }
}

#[cfg(test)]
mod tests;
