//! A DNS resolver that refuses addresses that must not be called. The check is in the resolver of the connection, so no
//! second DNS response can come between the check and the connection.

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::base_url::AllowedAddresses;
use super::public_ip::is_public;

pub type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Resolves host names: by the system, or by a test. A port of 0 means the port of the URL.
pub trait DnsLookup: Debug + Send + Sync {
    fn lookup(&self, name: &str) -> LookupFuture;
}

/// The system's resolver, `/etc/hosts` included; its addresses are checked as well.
#[derive(Debug)]
pub struct SystemLookup;

impl DnsLookup for SystemLookup {
    fn lookup(&self, name: &str) -> LookupFuture {
        let name = name.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    }
}

/// No connection was made.
#[derive(Debug, thiserror::Error)]
#[error("the host {name} has the address {address}, which is not {expected}: nothing was sent")]
pub(super) struct BlockedAddress {
    name: String,
    address: IpAddr,
    expected: &'static str,
}

#[derive(Debug)]
pub(super) struct GuardedResolver {
    pub(super) lookup: Arc<dyn DnsLookup>,
    pub(super) allowed: AllowedAddresses,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let addresses = self.lookup.lookup(name.as_str());
        let (name, allowed) = (name.as_str().to_owned(), self.allowed);
        Box::pin(async move {
            let addresses = addresses.await?;
            check(&name, &addresses, allowed)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Refuses the whole response if one address is blocked: an attacker who adds it also decides the order of the attempts.
fn check(name: &str, addresses: &[SocketAddr], allowed: AllowedAddresses) -> Result<(), BlockedAddress> {
    let (is_allowed, expected): (fn(IpAddr) -> bool, _) = match allowed {
        AllowedAddresses::Public => (is_public, "public"),
        AllowedAddresses::Loopback => (|address| address.is_loopback(), "this machine"),
    };
    let mut blocked = addresses
        .iter()
        .map(SocketAddr::ip)
        .filter(|address| !is_allowed(*address));
    match blocked.next() {
        None => Ok(()),
        Some(address) => Err(BlockedAddress {
            name: name.to_owned(),
            address,
            expected,
        }),
    }
}

#[cfg(test)]
mod tests;
