//! The limits that clients of the HTTP server share, and the admin listener.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use clap::Args;
use ipnet::IpNet;

use super::quantity::duration;
use super::value_parsers::{address, integer_in};

/// Of `serve`, and of `simulate`, which names the console of the service.
#[derive(Debug, Clone, Args)]
pub struct AdminListenArgs {
    /// Address of a second listener for health checks, `/metrics` and the console (`/console`). It shares no limit of the first one, which
    /// answers health checks too.
    #[arg(long, env = "INGEST_ADMIN_LISTEN", value_name = "ADDRESS", value_parser = address,
          help_heading = "Receiving")]
    pub admin_listen: Option<SocketAddr>,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Receiving")]
pub struct HttpArgs {
    #[command(flatten)]
    pub admin: AdminListenArgs,

    /// How long a connection may be idle between two requests (1s to 1h). Longer than a load balancer's own limit, often 60s, so
    /// that no request meets a connection that is being closed.
    #[arg(long, env = "INGEST_HTTP_IDLE_TIMEOUT", value_name = "DURATION", default_value = "75s",
          value_parser = duration("1s", "1h"))]
    pub http_idle_timeout: Duration,

    /// Maximum number of open HTTP connections of one peer, trusted proxies excepted (1 to 65535). Default: all but one in 64 of
    /// INGEST_HTTP_MAX_CONNECTIONS. Set it lower if senders connect directly.
    #[arg(long, env = "INGEST_HTTP_MAX_CONNECTIONS_PER_PEER", value_name = "COUNT",
          value_parser = integer_in::<usize>(1, 65_535))]
    pub http_max_connections_per_peer: Option<usize>,

    /// Maximum number of bodies of one client that are being received and not verified (1 to 65535). Further ones are answered
    /// 503. Default: three quarters of INGEST_HTTP_MAX_CONNECTIONS. Together they hold at most half of INGEST_MEMORY_BUDGET.
    #[arg(long, env = "INGEST_UNFINISHED_BODIES_PER_CLIENT", value_name = "COUNT",
          value_parser = integer_in::<usize>(1, 65_535))]
    pub unfinished_bodies_per_client: Option<usize>,

    /// Networks of reverse proxies, separated by commas, such as 10.0.0.0/8. A client behind them is counted by the address in
    /// their header Forwarded or X-Forwarded-For; where the two name different ones, by that of the proxy. Without this setting, all
    /// clients behind a proxy are one.
    #[arg(long, env = "INGEST_TRUSTED_PROXIES", value_name = "NETWORKS", value_delimiter = ',', value_parser = network)]
    pub trusted_proxies: Vec<IpNet>,

    /// How long `/readyz` is 503 at shutdown while requests are still accepted (0s to 5m), so that a load balancer stops sending
    /// before the listener closes.
    #[arg(long, env = "INGEST_DRAIN_DELAY", value_name = "DURATION", default_value = "0s",
          value_parser = duration("0s", "5m"))]
    pub drain_delay: Duration,
}

/// Parses a network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let text = text.trim();
    let network = text
        .parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| "is not a network such as 10.0.0.0/8, nor an IP address".to_owned())
}
