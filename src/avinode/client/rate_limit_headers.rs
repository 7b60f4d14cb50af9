//! What an answer's headers say about time: how many calls are left, when to come again, what time the server has.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The longest wait that is believed.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// `X-Rate-Limit-*` as an answer has them; each is missing where it is odd.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RateLimitHeaders {
    /// Calls that the window allows.
    pub limit: Option<u32>,
    /// Calls that are left in it.
    pub remaining: Option<u32>,
    /// How long until it begins anew.
    pub reset: Option<Duration>,
}

impl RateLimitHeaders {
    pub(super) fn of(headers: &HeaderMap, now: DateTime<Utc>) -> Self {
        let whole = |name| text(headers, name).and_then(|text| text.parse().ok());
        Self {
            limit: whole("x-rate-limit-limit"),
            remaining: whole("x-rate-limit-remaining"),
            reset: text(headers, "x-rate-limit-reset").and_then(|text| wait(text, now)),
        }
    }
}

/// `Retry-After`: seconds or a date. A date that has passed is no wait.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = text(headers, RETRY_AFTER.as_str())?;
    wait(text, now).or_else(|| until(http_date(text)?, now))
}

/// The server's own time, to the second.
pub(super) fn server_time(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    http_date(text(headers, DATE.as_str())?)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Seconds, also with a fraction, which is rounded up. A number as large as the seconds since 1970 is taken as that.
fn wait(text: &str, now: DateTime<Utc>) -> Option<Duration> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0)?;
    if seconds >= 1e9 {
        // At most a few thousand years.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a float becomes the nearest whole number there is"
        )]
        return until(DateTime::from_timestamp(seconds as i64, 0)?, now);
    }
    Some(Duration::try_from_secs_f64(seconds.ceil()).ok()?.min(LONGEST))
}

fn until(moment: DateTime<Utc>, now: DateTime<Utc>) -> Option<Duration> {
    Some((moment - now).to_std().unwrap_or_default().min(LONGEST))
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`; the obsolete forms of HTTP's dates are none.
fn http_date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|moment| moment.to_utc())
}

#[cfg(test)]
mod tests;
