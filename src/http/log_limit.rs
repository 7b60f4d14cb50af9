//! A limit of log lines per second, so that a flood of rejected requests cannot fill the disk.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Admits a number of lines per second and counts the others.
#[derive(Debug)]
pub struct LogLimit {
    per_second: u32,
    window: Mutex<LogWindow>,
}

#[derive(Debug)]
struct LogWindow {
    began: Instant,
    written: u32,
    suppressed: u64,
}

impl LogLimit {
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

    /// Returns the number of lines suppressed since the last one if a line may be written now.
    pub fn admit(&self, now: Instant) -> Option<u64> {
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
