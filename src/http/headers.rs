//! Which request headers are kept with a delivery: those on a list, because a list of what to leave out forgets the
//! next proxy's secret. Credentials, cookies and signatures are never on it.

use hyper::HeaderMap;

/// Kept where present. `x-forwarded-for` is what the proxies claim, kept for tracing and trusted for nothing.
const KEPT: [&str; 8] = [
    "content-type",
    "user-agent",
    "webhook-id",
    "webhook-timestamp",
    "traceparent",
    "tracestate",
    "x-request-id",
    "x-forwarded-for",
];

/// Longest value kept, in bytes. A longer one is dropped whole: half an id is a wrong id.
const LONGEST: usize = 200;

/// The headers to keep, by name, the first of each; values that are not visible ASCII are dropped.
pub fn kept(headers: &HeaderMap) -> Vec<(&'static str, String)> {
    KEPT.into_iter()
        .filter_map(|name| {
            let value = headers.get(name)?.to_str().ok()?;
            let visible = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            (!value.is_empty() && value.len() <= LONGEST && visible).then(|| (name, value.to_owned()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn of(pairs: &[(&'static str, &[u8])]) -> Vec<(&'static str, String)> {
        let headers = pairs.iter().map(|(name, value)| {
            let value = HeaderValue::from_bytes(value).unwrap();
            (HeaderName::from_static(name), value)
        });
        kept(&headers.collect())
    }

    #[test]
    fn secrets_are_not_kept() {
        let sent: [(&str, &[u8]); 5] = [
            ("authorization", b"Basic eDp5"),
            ("cookie", b"a=b"),
            ("x-avinode-signature", b"00"),
            ("webhook-signature", b"v1,00"),
            ("webhook-id", b"msg_1"),
        ];
        assert_eq!(of(&sent), [("webhook-id", "msg_1".to_owned())]);
    }

    #[test]
    fn values_that_are_too_long_or_not_visible_are_dropped() {
        let long = [b'a'; 201];
        let sent: [(&str, &[u8]); 5] = [
            ("user-agent", &long),
            ("tracestate", &long[..200]),
            ("x-request-id", b"caf\xe9"),
            ("webhook-timestamp", b"1\t2"),
            ("content-type", b""),
        ];
        assert_eq!(of(&sent), [("tracestate", "a".repeat(200))]);
    }
}
