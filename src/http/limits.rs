//! Limits on everything that a client can occupy: connections, headers, bodies, memory, time and log lines.

use std::time::Duration;

use super::client_address::TrustedProxies;

/// Limits of the HTTP server.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Concurrent connections; further ones wait in the listen backlog.
    pub connections: usize,
    /// Concurrent connections of one peer that is no trusted proxy.
    pub connections_per_peer: usize,
    pub proxies: TrustedProxies,
    /// Time for the headers of a request.
    pub header_time: Duration,
    /// Time for which a connection may be idle between two requests.
    pub idle_time: Duration,
    /// Bytes of the request line and headers.
    pub header_bytes: usize,
    /// Time within which a peer must accept some bytes of a response.
    pub write_time: Duration,
    /// Time for requests in flight to complete during the shutdown.
    pub drain: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_per_peer: 1008,
            proxies: TrustedProxies::default(),
            header_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(75),
            header_bytes: 16 * 1024,
            write_time: Duration::from_secs(10),
            drain: Duration::from_secs(10),
        }
    }
}

/// Limits of the webhook endpoint.
#[derive(Debug, Clone)]
pub struct WebhookLimits {
    /// Bytes of one body.
    pub body: usize,
    /// Time for one body to arrive.
    pub body_time: Duration,
    /// Bytes of all bodies that are being read or stored.
    pub memory: usize,
    /// Bodies of one client that are being received and not verified.
    pub bodies_per_client: usize,
    pub proxies: TrustedProxies,
}

impl Default for WebhookLimits {
    fn default() -> Self {
        Self {
            body: 256 * 1024,
            body_time: Duration::from_secs(10),
            memory: 64 * 1024 * 1024,
            bodies_per_client: 768,
            proxies: TrustedProxies::default(),
        }
    }
}
