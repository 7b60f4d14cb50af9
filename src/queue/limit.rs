//! The rules of a shared limit, pure: how many slots are free, what taking some changes, and what an answer changes.
//!
//! How slots follow from a rate and a burst, and what that promises, is in [`pace`]. The rest is a circuit breaker, pauses that
//! the other side asks for, and a stop when it refuses our credentials. All times are the database's.

pub mod pace;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use self::pace::{Limit, Pace, micros};

/// Calls that failed in a row, none of them of the same key as the one before, after which the breaker opens.
const FAILURES: i32 = 5;
/// How long it stays open at first; doubled each further time.
const OPEN: Duration = Duration::from_secs(5);
/// The longest that it stays open.
const OPEN_MOST: Duration = Duration::from_secs(300);
/// How long nothing is called after credentials were refused; doubled each further time.
const STOP: Duration = Duration::from_secs(30);
/// The longest of those.
const STOP_MOST: Duration = Duration::from_secs(900);
/// A pause where the other side does not say how long.
const PAUSE: Duration = Duration::from_secs(30);
/// Nobody is believed who asks for longer.
const PAUSE_MOST: Duration = Duration::from_secs(3600);
/// For how long little that is left is believed to be little.
const SLOW_MOST: Duration = Duration::from_secs(60);

/// What is known of a limited thing.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// The limit, and how much of it is used.
    pub pace: Pace,
    /// Until then a slot costs double.
    pub slow_until: Option<DateTime<Utc>>,
    /// Until then there are none.
    pub paused_until: Option<DateTime<Utc>>,
    /// Calls that failed in a row, each of another key than the one before.
    pub failures: i32,
    /// The key of the last of them. Failing again it says nothing new: it may be the only one that does.
    pub failed_key: Option<String>,
    /// How often in a row the breaker has opened.
    pub opened: i32,
    /// The breaker is open until then; set until a call succeeds.
    pub open_until: Option<DateTime<Utc>>,
    /// The outcome of a probe is waited for until then: whoever makes it may die.
    pub probing_until: Option<DateTime<Utc>>,
    /// How often in a row credentials were refused.
    pub stops: i32,
    /// When they are tried again.
    pub stopped_until: Option<DateTime<Utc>>,
    /// What was said.
    pub stopped_because: Option<String>,
    /// Whose credentials.
    pub stopped_caller: Option<String>,
}

/// What may be called now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Free {
    /// So many calls, at least one.
    Slots(u32),
    /// None for so long.
    After(Duration),
}

/// What came of a call, as far as a limit cares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It was answered, whatever the answer.
    Well,
    /// It failed as one does whose server is down; a call for this key.
    Failed(String),
    /// Too many calls: none for so long, where that was said.
    Limited(Option<Duration>),
    /// Our credentials were refused, with these words.
    Refused(String),
}

/// What the other side counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// Calls in its window.
    pub limit: Option<u32>,
    /// Calls that are left of them.
    pub remaining: Option<u32>,
    /// When it counts anew.
    pub reset: Option<Duration>,
}

impl Left {
    /// Whether so little is left that it changes the pace.
    pub fn is_low(&self) -> bool {
        self.remaining
            .is_some_and(|left| left <= self.limit.unwrap_or_default() / 10)
    }
}

/// What hearing of a call changed that people should know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Credentials were refused: nothing is called.
    Stopped(String),
    /// They are accepted again.
    Resumed,
    /// The breaker opened for so long.
    Opened(Duration),
    /// It closed.
    Closed,
    /// The other side asked for a pause of so long.
    Paused(Duration),
}

/// What hearing of a call told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Heard {
    /// What people should know.
    pub news: Option<News>,
    /// These credentials had been refused, and not been taken since, before this was heard: the call tells of them, and
    /// nothing of what was called for.
    pub was_stopped: bool,
}

impl State {
    /// Nothing taken, nothing wrong.
    pub fn new(limit: Limit, now: DateTime<Utc>) -> Self {
        Self {
            pace: Pace::new(limit, now),
            slow_until: None,
            paused_until: None,
            failures: 0,
            failed_key: None,
            opened: 0,
            open_until: None,
            probing_until: None,
            stops: 0,
            stopped_until: None,
            stopped_because: None,
            stopped_caller: None,
        }
    }

    /// Why credentials are not used, if these are the ones that were refused.
    pub fn stopped(&self, caller: &str) -> Option<&str> {
        let theirs = self.stopped_caller.as_deref() == Some(caller);
        self.stopped_because.as_deref().filter(|_| theirs)
    }

    /// Whether success would be news.
    pub fn is_watched(&self, caller: &str) -> bool {
        self.failures > 0 || self.open_until.is_some() || self.stopped(caller).is_some()
    }

    /// What this caller may call now.
    pub fn free(&self, now: DateTime<Utc>, caller: &str) -> Free {
        let stopped = self.stopped(caller).is_some();
        let probes = stopped || self.open_until.is_some();
        let waits = [
            self.stopped_until.filter(|_| stopped),
            self.paused_until,
            self.open_until,
            self.probing_until.filter(|_| probes),
        ];
        if let Some(until) = waits.into_iter().flatten().filter(|until| *until > now).max() {
            return Free::After(span(until - now));
        }
        match self.pace.free(now, self.each(now)) {
            Free::Slots(_) if probes => Free::Slots(1),
            free => free,
        }
    }

    /// How many slots a call costs now.
    fn each(&self, now: DateTime<Utc>) -> i64 {
        1 + i64::from(self.slow_until.is_some_and(|until| until > now))
    }

    /// Takes slots that [`Self::free`] told of at this moment, for calls that are over within `most`. Returns what each is
    /// known by when it is [`over`](Self::over): until when it is taken to be under way.
    pub fn take(&mut self, slots: u32, now: DateTime<Utc>, caller: &str, most: Duration) -> Vec<DateTime<Utc>> {
        let taken = self.pace.take(slots, now, most);
        if self.open_until.is_some() || self.stopped(caller).is_some() {
            self.probing_until = taken.last().copied().or(self.probing_until);
        }
        taken
    }

    /// The call that is known by `by` is over since `at`, or was not made.
    pub fn over(&mut self, by: DateTime<Utc>, at: Option<DateTime<Utc>>, now: DateTime<Utc>) {
        self.pace.over(by, at, self.each(now));
        // A probe that was not made tells nothing.
        if at.is_none() && self.probing_until == Some(by) {
            self.probing_until = None;
        }
    }

    /// It is `now`: calls whose callers died are over.
    pub fn pass(&mut self, now: DateTime<Utc>) {
        self.pace.pass(now);
    }

    /// Hears what came of a call.
    pub fn hear(&mut self, verdict: &Verdict, left: Left, now: DateTime<Utc>, caller: &str) -> Heard {
        let was_stopped = self.stopped(caller).is_some();
        let news = self.take_in(verdict, left, now, caller);
        Heard { news, was_stopped }
    }

    fn take_in(&mut self, verdict: &Verdict, left: Left, now: DateTime<Utc>, caller: &str) -> Option<News> {
        self.count(left, now);
        let until = |span: Duration| Some(now + delta(span));
        match verdict {
            Verdict::Well => {
                let was = (self.stopped(caller).is_some(), self.open_until.is_some());
                self.well();
                if was.0 {
                    (
                        self.stops,
                        self.stopped_until,
                        self.stopped_because,
                        self.stopped_caller,
                    ) = (0, None, None, None);
                    return Some(News::Resumed);
                }
                was.1.then_some(News::Closed)
            }
            Verdict::Failed(key) => {
                self.probing_until = None;
                // What fails again by itself has its own growing delay, and is no reason to hold the others up.
                if self.failed_key.as_ref() == Some(key) {
                    return None;
                }
                self.failed_key = Some(key.clone());
                self.failures = self.failures.saturating_add(1);
                // Those under way when it opened say nothing new.
                if self.failures < FAILURES || self.open_until.is_some_and(|open| open > now) {
                    return None;
                }
                let open = doubled(OPEN, self.opened, OPEN_MOST);
                self.open_until = until(open);
                self.opened = self.opened.saturating_add(1);
                Some(News::Opened(open))
            }
            Verdict::Limited(after) => {
                // It answers, so it is there.
                self.well();
                let pause = after.unwrap_or(PAUSE).clamp(Duration::from_secs(1), PAUSE_MOST);
                let known = self.paused_until.is_some_and(|paused| paused > now);
                self.paused_until = self.paused_until.max(until(pause));
                (!known).then_some(News::Paused(pause))
            }
            Verdict::Refused(because) => {
                self.well();
                let again = self.stopped(caller).is_some();
                if again && self.stopped_until.is_some_and(|stopped| stopped > now) {
                    return None;
                }
                if !again {
                    self.stops = 0;
                }
                self.stopped_until = until(doubled(STOP, self.stops, STOP_MOST));
                self.stops = self.stops.saturating_add(1);
                self.stopped_because = Some(because.clone());
                self.stopped_caller = Some(caller.to_owned());
                (!again).then(|| News::Stopped(because.clone()))
            }
        }
    }

    fn well(&mut self) {
        (self.failures, self.opened, self.open_until, self.probing_until) = (0, 0, None, None);
        self.failed_key = None;
    }

    /// Goes by what the other side counts: nothing left is a pause, a tenth left is half the pace.
    fn count(&mut self, left: Left, now: DateTime<Utc>) {
        let Some(remaining) = left.remaining else { return };
        let reset = left.reset.unwrap_or(Duration::from_secs(1));
        if remaining == 0 {
            self.paused_until = self.paused_until.max(Some(now + delta(reset.min(PAUSE_MOST))));
        } else if left.is_low() {
            self.slow_until = self.slow_until.max(Some(now + delta(reset.min(SLOW_MOST))));
        }
    }
}

fn doubled(first: Duration, times: i32, most: Duration) -> Duration {
    first.saturating_mul(1 << times.clamp(0, 16)).min(most)
}

fn span(span: TimeDelta) -> Duration {
    span.to_std().unwrap_or_default()
}

fn delta(span: Duration) -> TimeDelta {
    TimeDelta::microseconds(micros(span))
}

#[cfg(test)]
mod tests;
