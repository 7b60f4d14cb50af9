//! Where `replay` and `sign` send to: a URL, or else the local service that these settings would start.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::Args;
use url::Url;

use super::value_parsers::{address, url};

/// The path of the endpoint that takes Avinode's calls.
pub const WEBHOOK_PATH: &str = "/webhooks/avinode";

/// Settings of where to send.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Where to")]
pub struct TargetArgs {
    /// The URL to send to; one without a path is given /webhooks/avinode. Default: the local service, at --listen.
    #[arg(long, env = "INGEST_URL", value_name = "URL", value_parser = url)]
    pub url: Option<Url>,

    /// The address on which the local service listens.
    #[arg(long, env = "INGEST_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080",
          value_parser = address)]
    pub listen: SocketAddr,
}

impl TargetArgs {
    /// The whole URL to send to.
    pub fn url(&self) -> String {
        match &self.url {
            Some(url) => endpoint(url),
            None => format!("http://{}{WEBHOOK_PATH}", reachable(self.listen)),
        }
    }
}

/// The URL to send to; one without a path means the endpoint.
pub fn endpoint(url: &Url) -> String {
    let mut url = url.clone();
    if url.path() == "/" && url.query().is_none() {
        url.set_path(WEBHOOK_PATH);
    }
    url.into()
}

/// The address at which a listener on `listen` is reached from this machine: "any address" is not one to connect to.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests;
