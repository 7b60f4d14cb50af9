//! Limits on everything that a client can occupy: connections, headers, bodies, memory, time and log lines.

use std::time::Duration;

/// Limits of the HTTP server.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// Concurrent connections; further ones wait in the listen backlog.
    pub connections: usize,
    /// Time for the headers of a request, which also bounds how long a kept-alive connection may be idle. A proxy in
    /// front should close idle connections earlier.
    pub header_time: Duration,
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
            header_time: Duration::from_secs(10),
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
    /// Log lines about rejected deliveries per second.
    pub rejections_logged: u32,
}

impl Default for WebhookLimits {
    fn default() -> Self {
        Self {
            body: 256 * 1024,
            body_time: Duration::from_secs(10),
            memory: 64 * 1024 * 1024,
            rejections_logged: 10,
        }
    }
}
