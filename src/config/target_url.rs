//! The URL to which `replay` and `sign` send: as set, or the endpoint of the local service.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use clap::Args;
use url::Url;

use super::value_parsers::{address, url};
use super::webhook_path::WebhookPathArgs;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Target")]
pub struct TargetArgs {
    /// URL to send to. A URL without a path gets the first of --webhook-paths. Default: the local service, at --listen.
    /// With INGEST_API_TOKEN, `jobs`, `deliveries`, `documents`, `batches`, `audit`, `sessions`, `tail` and `trace` use the API of this service.
    #[arg(long, env = "INGEST_URL", value_name = "URL", value_parser = url)]
    pub url: Option<Url>,

    /// Address on which the local service listens.
    #[arg(long, env = "INGEST_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080",
          value_parser = address)]
    pub listen: SocketAddr,

    #[command(flatten)]
    pub paths: WebhookPathArgs,
}

impl TargetArgs {
    pub fn url(&self) -> String {
        match &self.url {
            Some(url) => endpoint(url, self.paths.first()),
            None => format!("http://{}{}", reachable(self.listen), self.paths.first()),
        }
    }
}

/// Adds the endpoint's path to a URL that has none.
pub fn endpoint(url: &Url, path: &str) -> String {
    let mut url = url.clone();
    if url.path() == "/" && url.query().is_none() {
        url.set_path(path);
    }
    url.into()
}

/// Returns the address at which this machine reaches a listener on `listen`: the unspecified address (`0.0.0.0`) becomes the
/// loopback address.
pub fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests;
