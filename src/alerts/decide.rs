//! Decides what is to be sent: a pure function of the former state, one look, and the conditions.
//!
//! Of each kind at most one alert is sent per pause. What happens meanwhile is kept, and the next alert names all of it. A condition
//! that lasts is reported when it begins, and once a day while it lasts.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::alert_kind::AlertKind;
use super::dead_reason;
use super::message;
use super::observations::{DatabaseObservations, FetchingObservation, Observations};
use super::settings::AlertConditions;
use super::state::AlertState;
use crate::queue::dead_jobs::DeadReason;
use crate::queue::job_kind::JobKind;

/// A reason that was not seen for this long counts as new.
const REASON_KNOWN: TimeDelta = TimeDelta::days(30);
/// A stop of this length is reported; rejected credentials are reported immediately.
const STOPPED_FOR: TimeDelta = TimeDelta::minutes(5);
const REMINDER: TimeDelta = TimeDelta::hours(24);
/// The jobs that are fetched as soon as calls are allowed. The other kinds of fetches may wait for hours.
const URGENT_FETCHES: [JobKind; 2] = [JobKind::FetchNotified, JobKind::FetchFollowUp];

/// An alert to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAlert {
    pub kind: AlertKind,
    pub text: String,
}

/// Takes a look into the state, and returns the alerts that follow from it.
pub fn decide(state: &mut AlertState, seen: &Observations, conditions: &AlertConditions) -> Vec<NewAlert> {
    let mut decision = Decision {
        state,
        now: seen.now,
        conditions,
        alerts: Vec::new(),
    };
    let now = seen.now;
    decision.state.began.get_or_insert(now);
    decision.refused(seen);
    if let Some(database) = &seen.database {
        decision.dead(&database.dead);
        decision.fetching(database);
        decision.overdue(database);
        decision.silence(database);
    }
    decision.alerts
}

struct Decision<'a> {
    state: &'a mut AlertState,
    now: DateTime<Utc>,
    conditions: &'a AlertConditions,
    alerts: Vec<NewAlert>,
}

impl Decision<'_> {
    fn refused(&mut self, seen: &Observations) {
        let refused = &mut self.state.refused;
        refused.unreported += seen.refused;
        if let Some(database) = &seen.database {
            let total = database.refused_elsewhere;
            let before = refused.seen.replace(total);
            // Those before the first look are history.
            refused.unreported += before.map_or(0, |before| total.saturating_sub(before));
        }
        let unreported = refused.unreported;
        if unreported > 0 && self.may(AlertKind::DeliveriesRefused) {
            self.state.refused.unreported = 0;
            let text = message::refused(unreported, seen.database.is_some());
            self.alert(AlertKind::DeliveriesRefused, &text);
        }
    }

    fn dead(&mut self, reasons: &[DeadReason]) {
        let (now, dead) = (self.now, &mut self.state.dead);
        dead.looked = Some(now);
        dead.known.retain(|_, last_seen| now - *last_seen < REASON_KNOWN);
        let mut classes = BTreeMap::<String, i64>::new();
        for DeadReason { kind, reason, jobs } in reasons {
            let kind = kind.parse().map_or("other", JobKind::as_str);
            let class = format!("{kind}: {}", dead_reason::class(reason));
            *classes.entry(class).or_default() += jobs;
        }
        for (class, jobs) in classes {
            if dead.known.insert(class.clone(), now).is_none() {
                dead.unreported.insert(class, jobs);
            }
        }
        if !dead.unreported.is_empty() && self.may(AlertKind::NewDeadLetters) {
            let reasons = std::mem::take(&mut self.state.dead.unreported);
            self.alert(AlertKind::NewDeadLetters, &message::dead(&reasons));
        }
    }

    fn fetching(&mut self, database: &DatabaseObservations) {
        let (now, fetching) = (self.now, database.fetching);
        if fetching == FetchingObservation::Running {
            self.state.fetching.ran = true;
            self.state.fetching.stopped_since = None;
            if self.state.fetching.stop_reported && self.may(AlertKind::FetchingResumed) {
                self.state.fetching.stop_reported = false;
                self.alert(AlertKind::FetchingResumed, &message::resumed());
            }
            return;
        }
        let since = *self.state.fetching.stopped_since.get_or_insert(now);
        // A deployment without credentials of Avinode's API has nothing to fetch with; it is reported once something waits.
        let waits = database.due.iter().any(|(kind, _)| JobKind::FETCHING.contains(kind));
        let is_stop = match fetching {
            FetchingObservation::Suspended => true,
            _ => now - since >= STOPPED_FOR && (self.state.fetching.ran || waits),
        };
        if is_stop && !self.state.fetching.stop_reported && self.may(AlertKind::FetchingStopped) {
            self.state.fetching.stop_reported = true;
            self.alert(AlertKind::FetchingStopped, &message::stopped(fetching));
        }
    }

    fn overdue(&mut self, database: &DatabaseObservations) {
        let Some(limit) = self.conditions.oldest_job else {
            return;
        };
        let fetches = database.fetching == FetchingObservation::Running;
        let counts = |kind: &JobKind| match JobKind::FETCHING.contains(kind) {
            true => fetches && URGENT_FETCHES.contains(kind),
            false => true,
        };
        let due = database.due.iter().filter(|(kind, _)| counts(kind));
        let oldest = due.max_by_key(|(_, age)| *age).filter(|(_, age)| *age >= limit);
        if let Some((kind, age)) = self.lasting(AlertKind::JobOverdue, oldest) {
            self.alert(AlertKind::JobOverdue, &message::overdue(*kind, *age));
            self.state.lasting.insert(AlertKind::JobOverdue);
        }
    }

    fn silence(&mut self, database: &DatabaseObservations) {
        let Some(limit) = self.conditions.no_delivery else {
            return;
        };
        let (now, hours) = (self.now, self.conditions.working_hours);
        let last = database.last_delivery.or(self.state.began).unwrap_or(now);
        let time = hours.between(last, now).to_std().unwrap_or_default();
        let silent = (time >= limit).then_some(time);
        // Not at night: a reminder waits for the next working hours.
        if let Some(time) = self.lasting(AlertKind::NoDeliveries, silent)
            && hours.contain(now)
        {
            let text = message::no_deliveries(time, database.last_delivery);
            self.alert(AlertKind::NoDeliveries, &text);
            self.state.lasting.insert(AlertKind::NoDeliveries);
        }
    }

    /// Returns the evidence of a condition if it has to be reported now.
    fn lasting<T>(&mut self, kind: AlertKind, evidence: Option<T>) -> Option<T> {
        let Some(evidence) = evidence else {
            self.state.lasting.remove(&kind);
            return None;
        };
        let last = self.state.last.get(&kind);
        let is_reported = self.state.lasting.contains(&kind) && last.is_some_and(|last| self.now - *last < REMINDER);
        if is_reported || !self.may(kind) {
            return None;
        }
        Some(evidence)
    }

    /// Returns true if the last alert of a kind is long enough ago.
    fn may(&self, kind: AlertKind) -> bool {
        let pause = delta(self.conditions.pause);
        self.state.last.get(&kind).is_none_or(|last| self.now - *last >= pause)
    }

    fn alert(&mut self, kind: AlertKind, text: &str) {
        self.state.last.insert(kind, self.now);
        let text = message::framed(kind, text);
        self.alerts.push(NewAlert { kind, text });
    }
}

fn delta(time: Duration) -> TimeDelta {
    TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX)
}

#[cfg(test)]
mod tests;
