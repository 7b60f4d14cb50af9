//! Logs rejected deliveries: reason, length and digest, never content, and a limited number per second, so that a flood
//! of rejected requests cannot fill the disk.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use tracing::Level;

/// The loggable facts of a rejected delivery.
#[derive(Debug, Clone, Copy)]
pub struct Rejection<'a> {
    /// One of a fixed set of words.
    pub reason: &'static str,
    /// Bytes of the body that were received.
    pub length: usize,
    /// The complete body, for its digest; `None` if it was not read to its end.
    pub body: Option<&'a [u8]>,
    /// The other end of the connection, possibly a proxy.
    pub peer: Option<SocketAddr>,
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

    /// Logs a rejection at `level`, which is `INFO` or `WARN`, if the limit of this second allows it.
    pub fn write(&self, level: Level, rejection: Rejection<'_>) {
        let Some(suppressed) = self.admit(Instant::now()) else {
            return;
        };
        // Computed only for a line that is written: a flood of rejected deliveries costs no digests.
        let sha256 = rejection.body.map(|body| hex::encode(Sha256::digest(body)));
        let (sha256, peer) = (sha256.as_deref(), rejection.peer.map(tracing::field::display));
        let Rejection { reason, length, .. } = rejection;
        if level == Level::WARN {
            tracing::warn!(
                reason,
                length,
                sha256,
                peer,
                suppressed,
                "rejected a delivery: {reason}"
            );
        } else {
            tracing::info!(
                reason,
                length,
                sha256,
                peer,
                suppressed,
                "rejected a delivery: {reason}"
            );
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
