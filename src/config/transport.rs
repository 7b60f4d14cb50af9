//! URLs by which a secret would leave this machine unencrypted.

use std::net::IpAddr;

use url::{Host, Url};

/// Returns whether a URL leads to this machine; `None` without a host.
pub fn is_local(url: &Url) -> Option<bool> {
    url.host().map(|host| match host {
        Host::Domain("localhost") => true,
        // Of a scheme that the library does not know, such as smtp, an IPv4 address is text.
        Host::Domain(name) => name.parse().is_ok_and(|address: IpAddr| address.is_loopback()),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    })
}

/// The message that refuses such a URL.
pub fn unencrypted(sent: &str, instead: &str, allow: &str) -> String {
    format!("the value is {sent} to another machine: use {instead}, or set {allow}=true in a private network")
}
