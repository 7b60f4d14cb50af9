use hyper::header::{HeaderName, HeaderValue};

use super::*;

fn client(peer: &str, headers: &[(&'static str, &'static str)]) -> String {
    let networks = ["10.0.0.0/8", "2001:db8:1::/48"].map(|network| network.parse().unwrap());
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(
            HeaderName::from_static(name),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    let proxies = TrustedProxies::new(&networks);
    proxies.client(peer.parse().unwrap(), &map).to_string()
}

#[test]
fn headers_of_an_untrusted_peer_are_not_believed() {
    let stated = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1")];
    assert_eq!(client("203.0.113.9", &stated), "203.0.113.9");
}

#[test]
fn the_client_is_the_last_address_that_is_no_trusted_proxy() {
    for (headers, expected) in [
        (&[][..], "10.0.0.1"),
        (&[("x-forwarded-for", "192.0.2.1")], "192.0.2.1"),
        // The client wrote the first one itself.
        (&[("x-forwarded-for", "198.51.100.7, 192.0.2.1, 10.0.0.2")], "192.0.2.1"),
        (
            &[("x-forwarded-for", "198.51.100.7"), ("x-forwarded-for", "192.0.2.1:99")],
            "192.0.2.1",
        ),
        (&[("x-forwarded-for", "10.0.0.2")], "10.0.0.2"),
        (&[("x-forwarded-for", "192.0.2.1, unknown")], "10.0.0.1"),
        (
            &[("forwarded", "for=192.0.2.1;proto=https, For=\"[2001:db8:1::2]:80\"")],
            "192.0.2.1",
        ),
        (&[("forwarded", "for=\"[2001:db8::7]\"")], "2001:db8::7"),
        (&[("forwarded", "for=_hidden")], "10.0.0.1"),
        (
            &[
                ("forwarded", "for=192.0.2.1"),
                ("x-forwarded-for", "198.51.100.7, 192.0.2.1"),
            ],
            "192.0.2.1",
        ),
        // The outer proxy writes the one, and the inner one the other.
        (
            &[("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "10.0.0.2")],
            "192.0.2.1",
        ),
        (
            &[("forwarded", "for=10.0.0.2"), ("x-forwarded-for", "192.0.2.1")],
            "192.0.2.1",
        ),
        // The bytes are no ASCII.
        (&[("x-forwarded-for", "\u{e9}, 192.0.2.1")], "192.0.2.1"),
        // The proxy wrote one of them, and the client the other.
        (
            &[("forwarded", "for=_hidden"), ("x-forwarded-for", "192.0.2.2")],
            "10.0.0.1",
        ),
        (
            &[("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "\u{e9}, 192.0.2.2")],
            "10.0.0.1",
        ),
        (
            &[("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "\u{e9}")],
            "10.0.0.1",
        ),
        (
            &[("forwarded", "for=192.0.2.1"), ("x-forwarded-for", "192.0.2.2")],
            "10.0.0.1",
        ),
    ] {
        assert_eq!(client("10.0.0.1", headers), expected, "{headers:?}");
    }
    assert_eq!(
        client("::ffff:10.0.0.1", &[("x-forwarded-for", "192.0.2.1")]),
        "192.0.2.1"
    );
}

#[test]
fn the_addresses_of_an_ipv6_network_are_one_client() {
    let key = |text: &str| client_key(text.parse().unwrap()).to_string();
    assert_eq!(key("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    assert_eq!(key("::ffff:192.0.2.1"), "192.0.2.1");
}

#[test]
fn only_a_trusted_proxy_states_that_a_request_came_over_tls() {
    let proxies = TrustedProxies::new(&["10.0.0.0/8".parse().unwrap()]);
    let over_tls = |peer: &str, sent: &[(&'static str, &'static str)]| {
        let sent = sent
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        is_over_tls(&proxies, peer.parse().unwrap(), &sent.collect())
    };
    assert!(over_tls("10.0.0.1", &[("x-forwarded-proto", "https")]));
    assert!(over_tls("10.0.0.1", &[("forwarded", "for=192.0.2.1;proto=HTTPS")]));
    assert!(over_tls(
        "10.0.0.1",
        &[("forwarded", "for=192.0.2.1"), ("x-forwarded-proto", "https")]
    ));
    assert!(!over_tls("10.0.0.1", &[("x-forwarded-proto", "http")]));
    assert!(!over_tls("10.0.0.1", &[("x-forwarded-proto", "https, http")]));
    assert!(!over_tls("10.0.0.1", &[]));
    assert!(!over_tls("192.0.2.1", &[("x-forwarded-proto", "https")]));
}
