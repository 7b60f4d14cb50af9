//! From a host's name to addresses that may be called. The check stands where the connection gets its addresses from, so
//! that no second answer of the DNS comes between.

use std::fmt::Debug;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::base_url::AllowedAddresses;
use super::public_ip::is_public;

/// The addresses of a name, still to come.
pub type LookupFuture = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Asks for the addresses of a name: the system, or a test. A port of 0 stands for that of the URL.
pub trait DnsLookup: Debug + Send + Sync {
    /// The addresses of `name`.
    fn lookup(&self, name: &str) -> LookupFuture;
}

/// The system's resolver, `/etc/hosts` included: what it answers is checked like any other answer.
#[derive(Debug)]
pub struct SystemLookup;

impl DnsLookup for SystemLookup {
    fn lookup(&self, name: &str) -> LookupFuture {
        let name = name.to_owned();
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    }
}

/// A name led to an address that is not called. Nothing was sent, no connection was made.
#[derive(Debug, thiserror::Error)]
pub(super) enum BlockedAddress {
    /// A private network, where a public host was expected.
    #[error("the host {name} has the address {address}, which is not a public one: nothing was sent")]
    NotPublic { name: String, address: IpAddr },
    /// Somewhere else, where this machine was expected.
    #[error("the host {name} has the address {address}, which is not this machine: nothing was sent")]
    NotLoopback { name: String, address: IpAddr },
}

/// A lookup whose answers are checked.
#[derive(Debug)]
pub(super) struct GuardedResolver {
    pub(super) lookup: Arc<dyn DnsLookup>,
    pub(super) reach: AllowedAddresses,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.lookup.lookup(name.as_str());
        let (name, reach) = (name.as_str().to_owned(), self.reach);
        Box::pin(async move {
            let found = found.await?;
            check(&name, &found, reach)?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// One address that may not be called spoils the answer: who mixes it in decides which one is tried first.
fn check(name: &str, found: &[SocketAddr], reach: AllowedAddresses) -> Result<(), BlockedAddress> {
    for address in found.iter().map(SocketAddr::ip) {
        match reach {
            AllowedAddresses::Public if !is_public(address) => {
                let name = name.to_owned();
                return Err(BlockedAddress::NotPublic { name, address });
            }
            AllowedAddresses::Loopback if !address.is_loopback() => {
                let name = name.to_owned();
                return Err(BlockedAddress::NotLoopback { name, address });
            }
            AllowedAddresses::Public | AllowedAddresses::Loopback => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
