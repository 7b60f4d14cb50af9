//! A slot in the hands of a process: leave to call once, soon. What becomes of it is noted where it is dropped, whatever ends
//! the work, and told to all by the next claim, so that a slot's end costs no statement of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use crate::queue::limit::State;

/// A call that has not begun so long after its slot was taken must not begin.
pub(super) const START_WITHIN: Duration = Duration::from_secs(5);

/// Leave to call once, soon.
#[derive(Debug)]
pub struct Slot {
    by: DateTime<Utc>,
    taken: Instant,
    used: AtomicBool,
    ended: Arc<Ended>,
    /// Success would be news: the breaker or a stop is to be undone.
    pub watched: bool,
}

/// A call under way. It is over when this is dropped.
#[derive(Debug)]
pub struct UnderWay<'s>(&'s Slot);

/// Slots whose end all others are still to be told of.
#[derive(Debug, Default)]
pub struct Ended(Mutex<Vec<End>>);

/// What became of a slot: by what it is known, and since when its call is over, if one was made.
#[derive(Debug, Clone, Copy)]
struct End {
    by: DateTime<Utc>,
    at: Option<Instant>,
}

/// Ends in the hands of whoever tells of them. Where that fails they are kept for the next one.
#[derive(Debug)]
pub(in crate::queue) struct Told<'e> {
    ends: Vec<End>,
    kept: &'e Ended,
}

impl Slot {
    /// A slot that was taken at this moment or later, known by `by`.
    pub(in crate::queue) fn new(by: DateTime<Utc>, taken: Instant, ended: Arc<Ended>, watched: bool) -> Self {
        Self {
            by,
            taken,
            used: AtomicBool::new(false),
            ended,
            watched,
        }
    }

    /// Uses it, right before the call. `None`: it is too late, or was used; the call must not be made.
    pub fn start(&self) -> Option<UnderWay<'_>> {
        let in_time = self.taken.elapsed() <= START_WITHIN;
        (in_time && !self.used.swap(true, Ordering::SeqCst)).then_some(UnderWay(self))
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        let (by, at) = (self.0.by, Some(Instant::now()));
        self.0.ended.lock().push(End { by, at });
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        if !self.used.load(Ordering::SeqCst) {
            let end = End { by: self.by, at: None };
            self.ended.lock().push(end);
        }
    }
}

impl Ended {
    /// Those that ended so far.
    pub(in crate::queue) fn tell(&self) -> Told<'_> {
        Told {
            ends: std::mem::take(&mut *self.lock()),
            kept: self,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<End>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Told<'_> {
    /// Whether there is nothing to tell.
    pub(in crate::queue) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Says it to the limit. `now` was read from the database's clock after `asked`, so that no call is over too early by it.
    pub(in crate::queue) fn say(&self, state: &mut State, now: DateTime<Utc>, asked: Instant) {
        for End { by, at } in &self.ends {
            let ago = |at: &Instant| TimeDelta::from_std(asked.saturating_duration_since(*at)).unwrap_or_default();
            state.over(*by, at.as_ref().map(|at| now - ago(at)), now);
        }
    }

    /// It is written.
    pub(in crate::queue) fn done(mut self) {
        self.ends.clear();
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.kept.lock().append(&mut self.ends);
    }
}
