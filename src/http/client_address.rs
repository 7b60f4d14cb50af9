//! The address of a client: the other end of the connection or, behind trusted proxies, the one that they state.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use hyper::HeaderMap;
use hyper::header::FORWARDED;
use ipnet::IpNet;

const X_FORWARDED_FOR: &str = "x-forwarded-for";
const X_FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Networks whose `Forwarded` and `X-Forwarded-For` headers are believed. None by default: any client can send these headers.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    pub fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    pub fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Returns the last address on the way of the request that is no trusted proxy. Each proxy appends the address from which it
    /// received, so the headers are read from the end; what an untrusted client wrote at their beginning is not reached. Where
    /// `Forwarded` and `X-Forwarded-For` name different clients, it is `peer`: a proxy that writes one of them passes on the other,
    /// which the client may have written.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.trusts(peer) {
            return peer;
        }
        let forwarded = self.stated(hops(headers, FORWARDED.as_str(), forwarded_for));
        let x_forwarded_for = self.stated(hops(headers, X_FORWARDED_FOR, address));
        match (forwarded, x_forwarded_for) {
            (StatedClient::Client(client), StatedClient::Client(other)) if client == other => client,
            (StatedClient::Client(client), StatedClient::Absent | StatedClient::Proxy(_))
            | (StatedClient::Absent | StatedClient::Proxy(_), StatedClient::Client(client))
            | (StatedClient::Proxy(client), StatedClient::Absent | StatedClient::Proxy(_))
            | (StatedClient::Absent, StatedClient::Proxy(client)) => client,
            _ => peer,
        }
    }

    fn stated(&self, hops: Vec<Option<IpAddr>>) -> StatedClient {
        let mut stated = StatedClient::Absent;
        for hop in hops.into_iter().rev() {
            let Some(hop) = hop else { return StatedClient::Hidden };
            let address = hop.to_canonical();
            if !self.trusts(address) {
                return StatedClient::Client(address);
            }
            stated = StatedClient::Proxy(address);
        }
        stated
    }
}

/// The client that a header states.
enum StatedClient {
    Absent,
    /// All addresses are of proxies: the outermost one.
    Proxy(IpAddr),
    /// The address before the proxies is unknown, hidden or no address.
    Hidden,
    Client(IpAddr),
}

/// Returns whether the request came over TLS, as the trusted proxy at the other end of the connection states.
pub fn is_over_tls(proxies: &TrustedProxies, peer: IpAddr, headers: &HeaderMap) -> bool {
    let last = |name: &str| {
        let value = headers.get_all(name).iter().next_back()?;
        value.to_str().ok()?.rsplit(',').next().map(str::trim)
    };
    let standard = last(FORWARDED.as_str()).and_then(|element| parameter(element, "proto"));
    let stated = [standard, last(X_FORWARDED_PROTO)];
    // Of either: a client that writes the other one itself loses only its own cookies by that.
    proxies.trusts(peer)
        && stated
            .into_iter()
            .flatten()
            .any(|scheme| scheme.eq_ignore_ascii_case("https"))
}

/// The key under which the requests of a client are counted: an IPv4 address, or the /64 network of an IPv6 address, of which one
/// client has all addresses.
pub fn client_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// The elements of a header that proxies append to, in the order in which they were written.
fn hops(headers: &HeaderMap, name: &str, parse: fn(&str) -> Option<IpAddr>) -> Vec<Option<IpAddr>> {
    let values = headers.get_all(name).iter();
    // Each by itself: bytes that the client wrote at the beginning must not hide what a proxy appended.
    let elements = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    elements
        .map(|element| parse(std::str::from_utf8(element).ok()?.trim()))
        .collect()
}

/// The `for` parameter of an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    parameter(element, "for").and_then(address)
}

/// A parameter of an element of `Forwarded` (RFC 7239).
fn parameter<'e>(element: &'e str, wanted: &str) -> Option<&'e str> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        name.eq_ignore_ascii_case(wanted).then(|| value.trim_matches('"'))
    })
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]` or `[2001:db8::1]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    bare.parse().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests;
