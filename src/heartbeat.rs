//! Which loops still make progress: each beats after every turn, and one that is silent for longer than it promised
//! is stale. A loop that hangs is alive as a task, so its being alive says nothing; only its beats do.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// All loops of the process; cloned to whoever runs a loop and to whoever reports on them.
#[derive(Debug, Clone)]
pub struct HeartbeatRegistry {
    /// Beats are kept as milliseconds since then, so that one atomic holds a beat.
    origin: Instant,
    loops: Arc<Mutex<Vec<MonitoredLoop>>>,
}

#[derive(Debug)]
struct MonitoredLoop {
    name: String,
    max_silence: Duration,
    last: Arc<AtomicU64>,
}

/// One loop's side of it.
///
/// Not `Clone`: two loops that share a pulse would hide each other's silence. Dropping it keeps the registration, so
/// a loop that died in a panic becomes stale like one that hangs.
#[derive(Debug)]
pub struct Heartbeat {
    origin: Instant,
    last: Arc<AtomicU64>,
}

impl HeartbeatRegistry {
    /// No loops yet.
    pub fn new() -> Self {
        Self {
            origin: Instant::now(),
            loops: Arc::default(),
        }
    }

    /// Registers a loop that promises to beat at least every `max_silence`; the registration is the first beat.
    ///
    /// To be called once for a loop, outside of its restarts: registrations are never taken back.
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

    /// The names of the loops that are silent for too long, sorted, each once.
    pub fn stale(&self) -> Vec<String> {
        self.stale_at(Instant::now())
    }

    /// As [`Self::stale`], at a moment of the caller's choice.
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
    /// Says that the loop has done a turn. As cheap as reading the monotonic clock.
    pub fn beat(&self) {
        self.last.store(millis(self.origin.elapsed()), Ordering::Relaxed);
    }
}

/// Whole milliseconds; what does not fit 64 bits is as good as for ever.
fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
