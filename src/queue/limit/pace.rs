//! A rate and a burst, and the slots that follow from them.
//!
//! What is promised: **no window of `t` seconds sees more than `burst + per_second * t` calls**, as the other side counts
//! them. Slots are taken before calls are made, so calls come later than their slots, some more than others, and late ones
//! may meet the next. So a part of the burst is held back for that: slots are given for `burst - per_second * slack`, a call
//! begins within half of `slack` after its slot was taken or not at all (see [`Limit::start_within`]), and the other half is
//! left to the way there, on which one call may take that much longer than another. A window of calls then lies within a
//! window of slots that is longer by `slack`.

use std::time::Duration;

/// The most that is held back for lateness; at one call a second that is two calls.
const MOST_SLACK: f64 = 2.0;

/// A rate and a burst.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    /// Calls a second in the long run.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: u32,
}

impl Limit {
    /// By how much calls may be later than their slots.
    fn slack(&self) -> i64 {
        micros(Duration::from_secs_f64(
            (f64::from(self.burst) / (2.0 * self.per_second)).min(MOST_SLACK),
        ))
    }

    /// Microseconds until a slot that was taken is free again, and as many of all slots together.
    pub(super) fn slots(&self) -> (i64, i64) {
        let (slack, interval) = (
            self.slack(),
            micros(Duration::from_secs_f64(1.0 / self.per_second)).max(1),
        );
        let all = interval.saturating_mul(i64::from(self.burst)) - slack;
        if all >= interval {
            (interval, all)
        } else {
            // Nothing can be held back from a burst of one: calls are kept apart instead.
            (interval + slack, interval + slack)
        }
    }

    /// A call that has not begun so long after its slot was taken must not begin.
    pub fn start_within(&self) -> Duration {
        Duration::from_micros(self.slack().unsigned_abs() / 2)
    }
}

/// Rounded up, as Postgres keeps times.
pub(super) fn micros(span: Duration) -> i64 {
    i64::try_from(span.as_nanos().div_ceil(1000)).unwrap_or(i64::MAX / 4)
}
