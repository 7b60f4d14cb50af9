//! The origin of a request that changes something: it has to be a page of this console.

use std::net::IpAddr;

use hyper::HeaderMap;
use hyper::header::{HOST, HeaderName, ORIGIN};

use crate::http::client_address::TrustedProxies;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Returns whether a browser sent the request from a page of the same origin. A program that is no browser sends neither header.
///
/// Browsers send `Sec-Fetch-Site` to https and to loopback addresses; the comparison of `Origin` with `Host` is for the others, and for
/// older ones. A trusted proxy may have changed `Host`.
pub fn is_same(headers: &HeaderMap, peer: Option<IpAddr>, proxies: &TrustedProxies) -> bool {
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
    match (sites.next(), sites.next()) {
        (Some(site), None) => return site == "same-origin",
        (Some(_), Some(_)) => return false,
        (None, _) => {}
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    let origin = match (origins.next(), origins.next()) {
        (None, _) => return true,
        (Some(origin), None) => origin.to_str().unwrap_or_default(),
        (Some(_), Some(_)) => return false,
    };
    let Some((_, authority)) = origin.split_once("://") else {
        return false;
    };
    let names_it = |name: HeaderName| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|host| host.eq_ignore_ascii_case(authority))
    };
    names_it(HOST) || (peer.is_some_and(|peer| proxies.trusts(peer)) && names_it(X_FORWARDED_HOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        pairs.collect()
    }

    #[test]
    fn only_a_page_of_the_same_origin_may_send_a_form() {
        let none = TrustedProxies::default();
        let host = ("host", "console.example:8443");
        for (sent, accepted) in [
            (vec![host], true),
            (vec![host, ("sec-fetch-site", "same-origin")], true),
            (vec![host, ("sec-fetch-site", "same-site")], false),
            (vec![host, ("sec-fetch-site", "cross-site")], false),
            (vec![host, ("sec-fetch-site", "none")], false),
            (vec![host, ("origin", "https://console.example:8443")], true),
            (vec![host, ("origin", "https://console.example")], false),
            (vec![host, ("origin", "https://evil.example")], false),
            (vec![host, ("origin", "null")], false),
            (
                vec![
                    host,
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://console.example:8443"),
                ],
                false,
            ),
        ] {
            assert_eq!(is_same(&headers(&sent), None, &none), accepted, "{sent:?}");
        }
    }

    #[test]
    fn the_host_that_a_proxy_states_counts_only_if_the_proxy_is_trusted() {
        let sent = headers(&[
            ("host", "127.0.0.1:9090"),
            ("x-forwarded-host", "console.example"),
            ("origin", "https://console.example"),
        ]);
        let proxy = "10.0.0.7".parse().unwrap();
        let trusted = TrustedProxies::new(&["10.0.0.0/8".parse().unwrap()]);
        assert!(is_same(&sent, Some(proxy), &trusted));
        assert!(!is_same(&sent, Some("192.0.2.1".parse().unwrap()), &trusted));
        assert!(!is_same(&sent, Some(proxy), &TrustedProxies::default()));
    }
}
