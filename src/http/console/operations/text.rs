//! Times to the second, durations and counts.

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};

use crate::http::console::format::{age, grouped};

/// A time with its age.
pub fn moment(at: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    html! {
        time datetime=(at.to_rfc3339_opts(SecondsFormat::Millis, true)) { (at.format("%Y-%m-%d %H:%M:%S UTC")) }
        " " span.quiet { "(" (age(Some(at), now)) ")" }
    }
}

/// Seconds, or milliseconds below one.
pub fn duration(seconds: f64) -> String {
    match seconds {
        ..1.0 => format!("{:.0} ms", seconds * 1_000.0),
        1.0..120.0 => format!("{seconds:.1} s"),
        120.0..7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3_600.0),
    }
}

/// A count with thousands apart.
pub fn count(number: i64) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{}", grouped(&number.unsigned_abs().to_string()))
}

#[cfg(test)]
mod tests;
