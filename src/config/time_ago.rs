//! A moment in the past as people give one: a time, or how long ago it was.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// A moment in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeAgo {
    /// So long ago.
    Ago(Duration),
    /// At this time.
    At(DateTime<Utc>),
}

impl TimeAgo {
    /// The moment, counted back from `now`.
    pub fn moment(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Ago(ago) => now - ago,
            Self::At(moment) => moment,
        }
    }
}

/// `30m`, `48h`, `7d` (at most ten years), or an RFC 3339 time such as `2026-01-31T10:00:00Z`.
pub fn since(text: &str) -> Result<TimeAgo, String> {
    let ago = |unit: &str, seconds: u64| {
        let number = text.strip_suffix(unit)?.parse::<u64>().ok()?;
        number
            .checked_mul(seconds)
            .filter(|seconds| *seconds <= 3650 * 86_400)
            .map(|seconds| TimeAgo::Ago(Duration::from_secs(seconds)))
    };
    ago("m", 60)
        .or_else(|| ago("h", 3600))
        .or_else(|| ago("d", 86_400))
        .or_else(|| {
            DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|at| TimeAgo::At(at.to_utc()))
        })
        .ok_or_else(|| "is neither a time ago, such as 30m, 48h or 7d, nor one such as 2026-01-31T10:00:00Z".to_owned())
}

#[cfg(test)]
mod tests;
