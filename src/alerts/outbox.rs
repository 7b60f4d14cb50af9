//! Alerts that are to be sent, with the attempts of each channel.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::alert_kind::AlertKind;
use super::channel::AlertChannel;
use crate::queue::retry::RetryPolicy;

/// An alert that could not be sent for this long is given up.
const GIVEN_UP: TimeDelta = TimeDelta::hours(24);

/// The delays between attempts.
const RETRY: RetryPolicy = RetryPolicy {
    base: Duration::from_secs(10),
    max: Duration::from_secs(900),
    max_attempts: i32::MAX,
    max_crashes: i32::MAX,
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutgoingAlert {
    pub id: Uuid,
    pub kind: AlertKind,
    pub text: String,
    pub decided_at: DateTime<Utc>,
    /// The channels that have not sent it yet.
    pub attempts: BTreeMap<AlertChannel, ChannelAttempts>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChannelAttempts {
    pub failed: i32,
    /// The time of the next attempt.
    pub due_at: DateTime<Utc>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AlertOutbox(Vec<OutgoingAlert>);

/// The consequence of a failed sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    RetryIn(Duration),
    GivenUp,
}

impl AlertOutbox {
    pub fn alerts(&self) -> &[OutgoingAlert] {
        &self.0
    }

    /// Adds an alert for these channels.
    pub fn add(&mut self, kind: AlertKind, text: String, now: DateTime<Utc>, channels: &[AlertChannel]) {
        let attempt = ChannelAttempts { failed: 0, due_at: now };
        self.0.push(OutgoingAlert {
            id: Uuid::now_v7(),
            kind,
            text,
            decided_at: now,
            attempts: channels.iter().map(|channel| (*channel, attempt.clone())).collect(),
        });
    }

    /// Adds those alerts of another outbox that this one does not have.
    pub fn add_all(&mut self, other: Self) {
        let unknown = other
            .0
            .into_iter()
            .filter(|alert| self.0.iter().all(|it| it.id != alert.id));
        self.0.extend(unknown.collect::<Vec<_>>());
    }

    /// Returns what is to be sent now.
    pub fn due(&self, now: DateTime<Utc>) -> Vec<(AlertChannel, OutgoingAlert)> {
        let due = |alert: &OutgoingAlert| {
            let channels = alert.attempts.iter().filter(|(_, attempts)| attempts.due_at <= now);
            let sendings: Vec<_> = channels.map(|(channel, _)| (*channel, alert.clone())).collect();
            sendings
        };
        self.0.iter().flat_map(due).collect()
    }

    /// Records that a channel has sent an alert.
    pub fn sent(&mut self, id: Uuid, channel: AlertChannel) {
        self.end(id, channel);
    }

    /// Records that a channel has failed.
    pub fn failed(&mut self, id: Uuid, channel: AlertChannel, now: DateTime<Utc>) -> AfterFailure {
        let alert = self.0.iter_mut().find(|alert| alert.id == id);
        let Some((decided_at, attempts)) =
            alert.and_then(|alert| Some((alert.decided_at, alert.attempts.get_mut(&channel)?)))
        else {
            return AfterFailure::GivenUp;
        };
        if now - decided_at > GIVEN_UP {
            self.end(id, channel);
            return AfterFailure::GivenUp;
        }
        attempts.failed = attempts.failed.saturating_add(1);
        let delay = RETRY.delay(attempts.failed);
        attempts.due_at = now + TimeDelta::from_std(delay).unwrap_or_default();
        AfterFailure::RetryIn(delay)
    }

    /// Leaves out channels that are not configured any more.
    pub fn keep_channels(&mut self, channels: &[AlertChannel]) {
        for alert in &mut self.0 {
            alert.attempts.retain(|channel, _| channels.contains(channel));
        }
        self.forget_sent();
    }

    fn end(&mut self, id: Uuid, channel: AlertChannel) {
        for alert in self.0.iter_mut().filter(|alert| alert.id == id) {
            alert.attempts.remove(&channel);
        }
        self.forget_sent();
    }

    fn forget_sent(&mut self) {
        self.0.retain(|alert| !alert.attempts.is_empty());
    }
}

#[cfg(test)]
mod tests;
