//! What an answer's headers say about time: how many calls are left, when to come again, what time the server has.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The longest wait that is believed.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// `X-Rate-Limit-*` as an answer has them; each is missing where it is odd.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Budget {
    /// Calls that the window allows.
    pub limit: Option<u32>,
    /// Calls that are left in it.
    pub remaining: Option<u32>,
    /// How long until it begins anew.
    pub reset: Option<Duration>,
}

impl Budget {
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
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn now() -> DateTime<Utc> {
        "2026-01-31T10:00:00Z".parse().unwrap()
    }

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_rate_limits_headers_are_read_one_by_one() {
        let whole = headers(&[
            ("x-rate-limit-limit", "3600"),
            ("x-rate-limit-remaining", "0"),
            ("x-rate-limit-reset", "17"),
        ]);
        let expected = Budget {
            limit: Some(3600),
            remaining: Some(0),
            reset: Some(Duration::from_secs(17)),
        };
        assert_eq!(Budget::of(&whole, now()), expected);
        let odd = headers(&[
            ("x-rate-limit-limit", "many"),
            ("x-rate-limit-remaining", "-1"),
            ("x-rate-limit-reset", ""),
        ]);
        assert_eq!(Budget::of(&odd, now()), Budget::default());
    }

    #[test]
    fn a_wait_is_seconds_or_a_moment_and_bounded() {
        for (text, seconds) in [
            ("0", Some(0)),
            ("120", Some(120)),
            ("0.5", Some(1)),
            ("1769853605", Some(5)),
            ("1000000000", Some(0)),
            ("999999999", Some(24 * 3600)),
            ("1e300", None),
            ("-1", None),
            ("NaN", None),
            ("inf", None),
            ("soon", None),
            ("Sat, 31 Jan 2026 10:00:30 GMT", Some(30)),
            ("Sat, 31 Jan 2026 09:00:00 GMT", Some(0)),
            ("Sat, 31 Jan 2099 09:00:00 GMT", Some(24 * 3600)),
        ] {
            let found = retry_after(&headers(&[("retry-after", text)]), now());
            assert_eq!(found, seconds.map(Duration::from_secs), "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now()), None);
    }

    #[test]
    fn the_servers_time_is_its_date() {
        let date = headers(&[("date", "Sat, 31 Jan 2026 10:00:00 GMT")]);
        assert_eq!(server_time(&date), Some(now()));
        assert_eq!(server_time(&headers(&[("date", "today")])), None);
    }
}
