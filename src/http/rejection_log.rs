//! Logs rejected deliveries: reason, length and digest, never content, and one per second for each reason.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tracing::Level;

use super::log_limit::LogLimit;

/// The loggable facts of a rejected delivery.
#[derive(Debug, Clone)]
pub struct Rejection {
    /// One of a fixed set of words.
    pub reason: &'static str,
    /// Bytes of the body that were received.
    pub length: usize,
    /// The complete body, for its digest; `None` if it was not read to its end.
    pub body: Option<Bytes>,
}

impl Rejection {
    /// Of a delivery with a complete body.
    pub fn of_body(reason: &'static str, body: &Bytes) -> Self {
        Self {
            reason,
            length: body.len(),
            body: Some(body.clone()),
        }
    }
}

/// Writes one line per second and reason and counts the others; the next line contains that count.
#[derive(Debug, Default)]
pub struct RejectionLog(LogLimit);

impl RejectionLog {
    /// Logs a rejection at `level`, which is `INFO` or `WARN`, if the limit of this second allows it. `peer` is the other end of
    /// the connection, and `client` returns the address for which it speaks, if it is a trusted proxy.
    pub fn write(
        &self,
        level: Level,
        rejection: &Rejection,
        peer: Option<SocketAddr>,
        client: impl FnOnce() -> Option<IpAddr>,
    ) {
        let Some(suppressed) = self.0.admit(rejection.reason, Instant::now()) else {
            return;
        };
        // Computed only for a line that is written: a flood of rejected deliveries costs no digests and no look at its headers.
        let sha256 = rejection.body.as_ref().map(|body| hex::encode(Sha256::digest(body)));
        let (sha256, peer) = (sha256.as_deref(), peer.map(tracing::field::display));
        let client = client().map(tracing::field::display);
        let Rejection { reason, length, .. } = rejection;
        // The level of a log statement is a constant.
        macro_rules! write {
            ($level:ident) => {
                tracing::$level!(
                    reason,
                    length,
                    sha256,
                    peer,
                    client,
                    suppressed,
                    "rejected a delivery: {reason}"
                )
            };
        }
        match level {
            Level::WARN => write!(warn),
            _ => write!(info),
        }
    }
}
