//! Limits log lines to one per second for each reason, so that a flood of rejected requests cannot fill the disk, nor hide another
//! reason.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(1);

/// Admits a line per second and reason, and counts the others.
#[derive(Debug, Default)]
pub struct LogLimit(Mutex<HashMap<&'static str, LastLine>>);

#[derive(Debug)]
struct LastLine {
    written: Instant,
    suppressed: u64,
}

impl LogLimit {
    /// Returns the number of lines with this reason that were suppressed since the last one, if a line may be written now.
    pub fn admit(&self, reason: &'static str, now: Instant) -> Option<u64> {
        let mut reasons = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(last) = reasons.get_mut(reason) else {
            let written = LastLine {
                written: now,
                suppressed: 0,
            };
            reasons.insert(reason, written);
            return Some(0);
        };
        if now.saturating_duration_since(last.written) < WINDOW {
            last.suppressed += 1;
            return None;
        }
        last.written = now;
        Some(std::mem::take(&mut last.suppressed))
    }
}

#[cfg(test)]
mod tests;
