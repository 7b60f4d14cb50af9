use hyper::header::{HeaderName, HeaderValue};

use super::*;

fn stored(pairs: &[(&'static str, &[u8])]) -> Vec<(&'static str, String)> {
    let headers = pairs.iter().map(|(name, value)| {
        let value = HeaderValue::from_bytes(value).unwrap();
        (HeaderName::from_static(name), value)
    });
    stored_headers(&headers.collect())
}

#[test]
fn secrets_are_not_stored() {
    let sent: [(&str, &[u8]); 5] = [
        ("authorization", b"Basic eDp5"),
        ("cookie", b"a=b"),
        ("x-avinode-signature", b"00"),
        ("webhook-signature", b"v1,00"),
        ("webhook-id", b"msg_1"),
    ];
    assert_eq!(stored(&sent), [("webhook-id", "msg_1".to_owned())]);
}

#[test]
fn values_that_are_too_long_or_not_visible_ascii_are_dropped() {
    let long = [b'a'; 201];
    let sent: [(&str, &[u8]); 5] = [
        ("user-agent", &long),
        ("tracestate", &long[..200]),
        ("x-request-id", b"caf\xe9"),
        ("webhook-timestamp", b"1\t2"),
        ("content-type", b""),
    ];
    assert_eq!(stored(&sent), [("tracestate", "a".repeat(200))]);
}
