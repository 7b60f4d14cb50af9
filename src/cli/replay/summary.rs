//! What came of sending: answers by status, and how long they took.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The one status that means "kept": Avinode's pages know no other success.
const KEPT: u16 = 200;

/// How a delivery was answered in the end.
#[derive(Debug, Clone)]
pub struct ReplayResponse {
    /// The HTTP status.
    pub status: u16,
    /// The beginning of the answer's body.
    pub said: String,
    /// From sending the last request to the end of its answer.
    pub latency: Duration,
    /// How often it had to be sent again.
    pub retries: u32,
}

impl ReplayResponse {
    /// Whether the delivery is kept.
    pub fn kept(&self) -> bool {
        self.status == KEPT
    }
}

/// The sum of it.
#[derive(Debug, Clone)]
pub struct ReplaySummary {
    by_status: BTreeMap<u16, usize>,
    unsent: usize,
    retried: usize,
    /// Of all answers, shortest first.
    latencies: Vec<Duration>,
    elapsed: Duration,
}

impl ReplaySummary {
    /// Sums up.
    pub fn of(outcomes: impl IntoIterator<Item = Result<ReplayResponse, String>>, elapsed: Duration) -> Self {
        let mut summary = Self {
            by_status: BTreeMap::new(),
            unsent: 0,
            retried: 0,
            latencies: Vec::new(),
            elapsed,
        };
        for outcome in outcomes {
            let Ok(answer) = outcome else {
                summary.unsent += 1;
                continue;
            };
            *summary.by_status.entry(answer.status).or_default() += 1;
            summary.retried += answer.retries as usize;
            summary.latencies.push(answer.latency);
        }
        summary.latencies.sort_unstable();
        summary
    }

    /// How many deliveries got which final status, by status.
    pub fn by_status(&self) -> impl Iterator<Item = (u16, usize)> {
        self.by_status.iter().map(|(status, count)| (*status, *count))
    }

    /// How many deliveries got no answer.
    pub fn unsent(&self) -> usize {
        self.unsent
    }

    /// How many requests were answered 503 and sent again.
    pub fn retried(&self) -> usize {
        self.retried
    }

    /// How many deliveries there were.
    pub fn total(&self) -> usize {
        self.unsent + self.latencies.len()
    }

    /// How many deliveries are kept.
    pub fn kept(&self) -> usize {
        self.by_status.get(&KEPT).copied().unwrap_or(0)
    }

    /// Whether every delivery is kept.
    pub fn is_clean(&self) -> bool {
        self.kept() == self.total()
    }

    /// The latency that this share of the answers (0 to 100 percent) did not exceed; none without answers.
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        // Nearest rank: the smallest latency that at least so many percent are not above.
        let rank = (self.latencies.len() * percent.min(100)).div_ceil(100).max(1);
        self.latencies.get(rank - 1).copied()
    }

    /// What was refused or could not be sent, in a sentence.
    pub fn refusal(&self) -> String {
        let refused = self.latencies.len() - self.kept();
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
            "{total} deliveries in {seconds:.3} s ({:.1} a second)",
            f64::from(total) / seconds.max(1e-9)
        )?;
        for (status, count) in &self.by_status {
            write!(f, "\n  status {status}: {count}")?;
        }
        if self.unsent > 0 {
            write!(f, "\n  not sent: {}", self.unsent)?;
        }
        if self.retried > 0 {
            write!(f, "\n  sent again after 503: {}", self.retried)?;
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
