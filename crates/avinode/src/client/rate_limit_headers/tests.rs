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
fn the_rate_limit_headers_are_parsed_separately() {
    let whole = headers(&[
        ("x-rate-limit-limit", "3600"),
        ("x-rate-limit-remaining", "0"),
        ("x-rate-limit-reset", "17"),
    ]);
    let expected = RateLimitHeaders {
        limit: Some(3600),
        remaining: Some(0),
        reset: Some(Duration::from_secs(17)),
    };
    assert_eq!(RateLimitHeaders::read(&whole, now()), expected);
    let odd = headers(&[
        ("x-rate-limit-limit", "many"),
        ("x-rate-limit-remaining", "-1"),
        ("x-rate-limit-reset", ""),
    ]);
    assert_eq!(RateLimitHeaders::read(&odd, now()), RateLimitHeaders::default());
}

#[test]
fn a_wait_is_seconds_or_a_time_and_bounded() {
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
fn the_servers_time_is_the_date_header() {
    let date = headers(&[("date", "Sat, 31 Jan 2026 10:00:00 GMT")]);
    assert_eq!(server_time(&date), Some(now()));
    assert_eq!(server_time(&headers(&[("date", "today")])), None);
}
