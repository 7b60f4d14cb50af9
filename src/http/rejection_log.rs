//! Writes refusals to the log: what was refused and why, never what it held, and only so many a second, so that
//! nobody fills the disk by being refused.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

/// What may be known of a refused request.
#[derive(Debug, Clone, Copy)]
pub struct Rejection<'a> {
    /// The failure's name, one of a fixed set.
    pub reason: &'static str,
    /// Bytes of the body that came.
    pub length: usize,
    /// The whole body, for its digest; `None` where it was not read to its end.
    pub body: Option<&'a [u8]>,
    /// The other end of the connection, which may be a proxy.
    pub peer: Option<SocketAddr>,
}

/// How loudly a refusal is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// The sender erred.
    Info,
    /// Somebody may want to act: a wrong secret, an attack, or a delivery of a proven sender that was not kept.
    Warn,
}

/// Lets so many refusals a second through to the log, and counts the rest; the count comes with the next line.
#[derive(Debug)]
pub struct RejectionLog {
    per_second: u32,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    began: Instant,
    written: u32,
    suppressed: u64,
}

impl RejectionLog {
    /// A log of at most so many lines a second.
    pub fn new(per_second: u32) -> Self {
        Self {
            per_second,
            window: Mutex::new(Window {
                began: Instant::now(),
                written: 0,
                suppressed: 0,
            }),
        }
    }

    /// Logs a refusal, if a line is left in this second.
    pub fn write(&self, weight: Weight, refused: Rejection<'_>) {
        let Some(suppressed) = self.admit(Instant::now()) else {
            return;
        };
        // Hashed only for a line that is written: a flood of refusals pays for no digests.
        let sha256 = refused.body.map(|body| hex::encode(Sha256::digest(body)));
        let (sha256, peer) = (sha256.as_deref(), refused.peer.map(tracing::field::display));
        let Rejection { reason, length, .. } = refused;
        match weight {
            Weight::Info => tracing::info!(reason, length, sha256, peer, suppressed, "refused a delivery"),
            Weight::Warn => tracing::warn!(reason, length, sha256, peer, suppressed, "refused a delivery"),
        }
    }

    /// Whether a line may be written now, and if so, how many were suppressed since the last one.
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
