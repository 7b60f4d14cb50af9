//! A moment in the past, given as a time or as a duration before now.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// The longest duration before now: ten years.
const LONGEST: Duration = Duration::from_secs(3650 * 86_400);

/// A moment in the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeAgo {
    Ago(Duration),
    At(DateTime<Utc>),
}

impl TimeAgo {
    /// Returns the moment, counted back from `now`.
    pub fn moment(self, now: DateTime<Utc>) -> DateTime<Utc> {
        match self {
            Self::Ago(ago) => now - ago,
            Self::At(moment) => moment,
        }
    }
}

/// Parses `30m`, `48h`, `7d` (at most ten years), or an RFC 3339 time such as `2026-01-31T10:00:00Z`.
pub fn since(text: &str) -> Result<TimeAgo, String> {
    let ago = humantime::parse_duration(text).ok().filter(|ago| *ago <= LONGEST);
    ago.map(TimeAgo::Ago)
        .or_else(|| {
            DateTime::parse_from_rfc3339(text)
                .ok()
                .map(|at| TimeAgo::At(at.to_utc()))
        })
        .ok_or_else(|| {
            "is neither a duration, such as 30m, 48h or 7d, nor a time, such as 2026-01-31T10:00:00Z".to_owned()
        })
}

#[cfg(test)]
mod tests;
