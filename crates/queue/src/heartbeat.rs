//! Detects loops that make no progress: each beats after every turn, and one that is silent for longer than it promised is
//! stale. A loop that hangs is alive as a task, so only its beats show progress.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The loops of the process. Clones share them.
#[derive(Debug, Clone)]
pub struct HeartbeatRegistry {
    /// Beats are milliseconds since then, so that one atomic holds a beat.
    origin: Instant,
    loops: Arc<Mutex<Vec<MonitoredLoop>>>,
}

#[derive(Debug)]
struct MonitoredLoop {
    name: String,
    max_silence: Duration,
    last: Arc<AtomicU64>,
}

/// The heartbeat of one loop.
///
/// Not `Clone`: two loops that share one would hide each other's silence. Dropping it keeps the registration, so a loop that
/// ended in a panic becomes stale like one that hangs.
#[derive(Debug)]
pub struct Heartbeat {
    origin: Instant,
    last: Arc<AtomicU64>,
}

impl HeartbeatRegistry {
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
            loops: Arc::default(),
        }
    }

    /// Registers a loop that promises to beat at least every `max_silence`; the registration is the first beat. A
    /// registration is never removed.
    pub fn register(&self, name: impl Into<String>, max_silence: Duration) -> Heartbeat {
        let last = Arc::new(AtomicU64::new(millis(self.origin.elapsed())));
        let registered = MonitoredLoop {
            name: name.into(),
            max_silence,
            last: Arc::clone(&last),
        };
        self.loops
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(registered);
        Heartbeat {
            origin: self.origin,
            last,
        }
    }

    /// Returns the names of the loops that are silent for too long, sorted, each once.
    pub fn stale(&self) -> Vec<String> {
        self.stale_at(Instant::now())
    }

    /// As [`Self::stale`], at a given time.
    pub fn stale_at(&self, now: Instant) -> Vec<String> {
        let now = millis(now.saturating_duration_since(self.origin));
        let loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names: Vec<String> = loops
            .iter()
            .filter(|each| now.saturating_sub(each.last.load(Ordering::Relaxed)) > millis(each.max_silence))
            .map(|each| each.name.clone())
            .collect();
        names.sort();
        names.dedup();
        names
    }
}

impl Default for HeartbeatRegistry {
    fn default() -> Self {
        Self::new()
    }
}

impl Heartbeat {
    /// Records a turn of the loop. As cheap as reading the monotonic clock.
    pub fn beat(&self) {
        self.last.store(millis(self.origin.elapsed()), Ordering::Relaxed);
    }
}

/// Saturates at 64 bits.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
