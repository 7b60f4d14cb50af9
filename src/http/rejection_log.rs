//! Logs rejected deliveries: reason, length and digest, never content, and a limited number per second, so that a flood
//! of rejected requests cannot fill the disk.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tracing::Level;

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

/// Writes up to a number of lines per second and counts the others; the next line contains that count.
#[derive(Debug)]
pub struct RejectionLog {
    per_second: u32,
    window: Mutex<LogWindow>,
}

#[derive(Debug)]
struct LogWindow {
    began: Instant,
    written: u32,
    suppressed: u64,
}

impl RejectionLog {
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second,
            window: Mutex::new(LogWindow {
                began: Instant::now(),
                written: 0,
                suppressed: 0,
            }),
        }
    }

    /// Logs a rejection at `level`, which is `INFO` or `WARN`, if the limit of this second allows it. `peer` is the other end of
    /// the connection, possibly a proxy.
    pub fn write(&self, level: Level, rejection: &Rejection, peer: Option<SocketAddr>) {
        let Some(suppressed) = self.admit(Instant::now()) else {
            return;
        };
        // Computed only for a line that is written: a flood of rejected deliveries costs no digests.
        let sha256 = rejection.body.as_ref().map(|body| hex::encode(Sha256::digest(body)));
        let (sha256, peer) = (sha256.as_deref(), peer.map(tracing::field::display));
        let Rejection { reason, length, .. } = rejection;
        // The level of a log statement is a constant.
        macro_rules! write {
            ($level:ident) => {
                tracing::$level!(
                    reason,
                    length,
                    sha256,
                    peer,
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

    /// Returns the number of suppressed lines if a line may be written now.
    fn admit(&self, now: Instant) -> Option<u64> {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_duration_since(window.began) >= Duration::from_secs(1) {
            window.began = now;
            window.written = 0;
        }
        if window.written >= self.per_second {
            window.suppressed += 1;
            return None;
        }
        window.written += 1;
        Some(std::mem::take(&mut window.suppressed))
    }
}

#[cfg(test)]
mod tests;
