//! A rate and a burst, and the slots that follow from them.
//!
//! What is promised: **no window of `t` seconds sees more than `burst + per_second * t` calls**, as the other side counts them,
//! however long calls take and wherever on their way they are counted. A slot is held from before its call begins until the call
//! is over, and only then begins to fill again, at the rate. Take the last call of a window that was given its slot: at that
//! moment the window's other calls were under way, or over since the window began, and of all those the burst allows no more
//! than itself and what has filled again meanwhile.
//!
//! So calls that take long cost no rate, as long as `burst` is more than `per_second` times what they take.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::Free;

/// A rate and a burst.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Calls a second in the long run.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: u32,
}

impl Limit {
    /// Microseconds in which a slot fills again.
    pub(super) fn interval(&self) -> i64 {
        micros(Duration::from_secs_f64(1.0 / self.per_second)).max(1)
    }
}

/// How much of a limit is used.
#[derive(Debug, Clone, PartialEq)]
pub struct Pace {
    /// The limit.
    pub limit: Limit,
    /// When all slots whose calls are over have filled again.
    pub full_at: DateTime<Utc>,
    /// The calls under way: for each, when it is over at the latest.
    pub under_way: Vec<DateTime<Utc>>,
}

impl Pace {
    /// Nothing used.
    pub fn new(limit: Limit, now: DateTime<Utc>) -> Self {
        Self {
            limit,
            full_at: now,
            under_way: Vec::new(),
        }
    }

    /// How many slots there are, where each costs so many.
    pub(super) fn free(&self, now: DateTime<Utc>, each: i64) -> Free {
        let (all, cost) = (
            self.limit.interval().saturating_mul(i64::from(self.limit.burst)),
            self.cost(each),
        );
        let used = (self.full_at - now).num_microseconds().unwrap_or(i64::MAX).max(0);
        let held = cost.saturating_mul(i64::try_from(self.under_way.len()).unwrap_or(i64::MAX));
        let room = all.saturating_sub(used).saturating_sub(held);
        // Where a slot costs more than there is, it is given once all is free.
        let free = if used == 0 && held == 0 {
            (room / cost).max(1)
        } else {
            room / cost
        };
        if free < 1 {
            // Were all calls over at this moment, their slots would still have to fill.
            let missing = cost.saturating_sub(room).min(used.saturating_add(held));
            return Free::After(Duration::from_micros(missing.max(1).unsigned_abs()));
        }
        Free::Slots(u32::try_from(free).unwrap_or(u32::MAX).min(self.limit.burst))
    }

    /// Takes slots for calls that are over within `most`, and tells when each is taken for over if nobody says so. Those moments
    /// differ: a call is known by its own.
    pub(super) fn take(&mut self, slots: u32, now: DateTime<Utc>, most: Duration) -> Vec<DateTime<Utc>> {
        let most = micros(most);
        let taken: Vec<_> = (0..slots)
            .map(|slot| now + TimeDelta::microseconds(most.saturating_add(i64::from(slot))))
            .collect();
        self.under_way.extend(&taken);
        taken
    }

    /// The call that is known by `by` is over since `at`, or was not made. Nothing for one that was taken for over already.
    pub(super) fn over(&mut self, by: DateTime<Utc>, at: Option<DateTime<Utc>>, each: i64) {
        let Some(place) = self.under_way.iter().position(|it| *it == by) else {
            return;
        };
        self.under_way.swap_remove(place);
        if let Some(at) = at {
            self.full_at = self.full_at.max(at) + TimeDelta::microseconds(self.cost(each));
        }
    }

    /// Time has passed: calls of which nobody spoke in their time are over.
    pub(super) fn pass(&mut self, now: DateTime<Utc>) {
        let (past, still): (Vec<_>, Vec<_>) = self.under_way.iter().partition(|by| **by <= now);
        self.under_way = still;
        for by in past {
            self.full_at = self.full_at.max(by) + TimeDelta::microseconds(self.cost(1));
        }
    }

    fn cost(&self, each: i64) -> i64 {
        self.limit.interval().saturating_mul(each)
    }
}

/// Rounded up, as Postgres keeps times.
pub(super) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_nanos().div_ceil(1000)).unwrap_or(i64::MAX / 4)
}
