//! The listener that `healthcheck` asks.

use std::net::SocketAddr;
use std::time::Duration;

use clap::Args;

use super::quantity::duration;
use super::target_url::reachable;
use super::value_parsers::address;

#[derive(Debug, Clone, Args)]
pub struct HealthcheckArgs {
    /// Ask /readyz instead of /livez: whether the process should get work, and not only whether it is alive.
    #[arg(long)]
    pub ready: bool,

    /// Limit of the time until the answer (100ms to 1m).
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration("100ms", "1m"))]
    pub timeout: Duration,

    /// Address on which the local service listens.
    #[arg(long, env = "INGEST_LISTEN", value_name = "ADDRESS", default_value = "127.0.0.1:8080",
          value_parser = address, help_heading = "Target")]
    pub listen: SocketAddr,

    /// Address of its listener for health checks, which is asked where it is set.
    #[arg(long, env = "INGEST_ADMIN_LISTEN", value_name = "ADDRESS", value_parser = address, help_heading = "Target")]
    pub admin_listen: Option<SocketAddr>,
}

impl HealthcheckArgs {
    pub fn url(&self) -> String {
        let listener = reachable(self.admin_listen.unwrap_or(self.listen));
        let path = if self.ready { "/readyz" } else { "/livez" };
        format!("http://{listener}{path}")
    }
}
