//! Parses the response headers about the rate limit, the next attempt and the server's time.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// Longer waits are cut to this.
const MAX_WAIT: Duration = Duration::from_secs(24 * 3600);

/// `X-Rate-Limit-*`; an invalid header is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimitHeaders {
    /// The calls allowed in a window.
    pub limit: Option<u32>,
    /// The calls left in the window.
    pub remaining: Option<u32>,
    /// The time until the window resets.
    pub reset: Option<Duration>,
}

impl RateLimitHeaders {
    pub(super) fn read(headers: &HeaderMap, now: DateTime<Utc>) -> Self {
        let number = |name| text(headers, name).and_then(|text| text.parse().ok());
        Self {
            limit: number("x-rate-limit-limit"),
            remaining: number("x-rate-limit-remaining"),
            reset: text(headers, "x-rate-limit-reset").and_then(|text| wait(text, now)),
        }
    }
}

/// `Retry-After`: seconds or a date. A past date is a wait of zero.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER.as_str())?;
    wait(text, now).or_else(|| until(http_date(text)?, now))
}

/// The server's time, to the second.
pub(super) fn server_time(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    http_date(text(headers, DATE.as_str())?)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Seconds, rounded up. A number as large as a Unix time is read as one.
fn wait(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0)?;
    if seconds >= 1e9 {
        #[expect(clippy::cast_possible_truncation, reason = "a float converts to the nearest integer")]
        return until(DateTime::from_timestamp(seconds as i64, 0)?, now);
    }
    Some(Duration::try_from_secs_f64(seconds.ceil()).ok()?.min(MAX_WAIT))
}

fn until(moment: DateTime<Utc>, now: DateTime<Utc>) -> Option<Duration> {
    Some((moment - now).to_std().unwrap_or_default().min(MAX_WAIT))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`; HTTP's obsolete date formats are `None`.
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|moment| moment.to_utc())
}

#[cfg(test)]
mod tests;
