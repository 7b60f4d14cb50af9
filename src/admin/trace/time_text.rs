//! A time in the words of a cause.

use chrono::{DateTime, SecondsFormat, Utc};

/// As in the lists: `2026-11-30T00:32:14Z`.
pub(super) fn moment(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}
