//! The reasons why calls are held back, as the leader publishes them; among them the suspension of rejected credentials.
//!
//! A server may refuse a single key for ever. So a refusal suspends the credentials only if they were never accepted, or if
//! several keys are refused that were not tried before, without a success in between. Keys that have not failed are tried
//! during a suspension as well: those that are refused for ever hold up no other.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::breaker::CircuitBreaker;
use super::token_bucket::{RateLimit, delta, doubled};

/// While the breaker is open, beside a slow probe, or after several refusals, a key that has not failed is tried at this
/// interval, so that the keys that fail do not hold up the others.
pub(super) const PROBE_INTERVAL: Duration = Duration::from_secs(2);
/// First suspension after rejected credentials; doubled each further time.
const SUSPENSION: Duration = Duration::from_secs(30);
const SUSPENSION_MAX: Duration = Duration::from_secs(900);
/// Credentials that were accepted are suspended when so many keys are refused that had not failed before.
const REFUSED_KEYS: u32 = 3;
/// Until so many keys are refused, others are tried at the rate of the limit, and then at [`PROBE_INTERVAL`].
const REFUSED_KEYS_FREE: usize = 10;
/// The most refused keys that are remembered. After so many, only the slow probes are left.
const REFUSED_KEYS_MAX: usize = 100;

/// The leader publishes them in its lease row, and the next leader takes them over.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CallRestrictions {
    /// Until then a call costs two tokens.
    pub slow_until: Option<DateTime<Utc>>,
    pub paused_until: Option<DateTime<Utc>>,
    pub breaker: CircuitBreaker,
    pub suspension: Option<Suspension>,
    pub refused: RefusedKeys,
    /// The digest of the credentials that were accepted.
    pub accepted: Option<String>,
    /// The limit of the process that leads.
    pub limit: Option<RateLimit>,
}

/// The server rejects our credentials. After `until` one call at a time probes it.
///
/// A row of an earlier revision has no `untried_from`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspension {
    pub reason: String,
    pub until: DateTime<Utc>,
    /// Keys that have not failed may be tried from then on.
    #[serde(default)]
    pub untried_from: DateTime<Utc>,
    /// Times in a row that the credentials were rejected.
    pub times: u32,
    /// A digest of the credentials: others are not suspended.
    pub credentials: String,
}

/// The keys that were refused since the last success.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RefusedKeys {
    pub keys: Vec<String>,
    /// Those that had not failed before.
    pub untried: u32,
    /// Keys that were refused before the last success, which says that the refusal is their own.
    pub earlier: Vec<String>,
}

/// A refused call.
pub(super) struct Refusal<'r> {
    pub(super) key: &'r str,
    pub(super) reason: &'r str,
    /// The key failed before.
    pub(super) retried: bool,
}

/// The extent of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalScope {
    /// This key alone: others were answered since it was last refused.
    Key,
    /// Not known: nothing was answered since the key was last refused.
    Unknown,
    /// Everything: the credentials are suspended.
    Credentials,
}

impl CallRestrictions {
    /// The time for which the credentials are still suspended for every key.
    pub fn suspended_for(&self, now: DateTime<Utc>) -> Option<Duration> {
        let suspension = self.suspension.as_ref()?;
        let until = suspension.until.min(suspension.untried_from);
        (until - now).to_std().ok().filter(|wait| !wait.is_zero())
    }

    /// The time until which calls are held back for keys that have failed, or for those that have not.
    pub(super) fn held_until(&self, untried: bool) -> Option<DateTime<Utc>> {
        let suspended_until = self.suspension.as_ref().map(|it| match untried {
            true => it.until.min(it.untried_from),
            false => it.until,
        });
        self.paused_until.max(suspended_until)
    }

    /// Keys that have not failed are tried at the rate of the limit: the credentials are suspended after few refusals.
    pub(super) fn tries_others_freely(&self) -> bool {
        self.suspension.is_some() && self.breaker.open_until.is_none() && self.refused.keys.len() < REFUSED_KEYS_FREE
    }

    /// While the credentials are suspended, holds back keys that have not failed for a moment, in which others may lead.
    pub(super) fn nothing_untried(&mut self, now: DateTime<Utc>) {
        if let Some(suspension) = &mut self.suspension {
            suspension.untried_from = suspension.untried_from.max(now + delta(PROBE_INTERVAL));
        }
    }

    pub(super) fn forget_other_credentials(&mut self, credentials: &str) {
        self.suspension = self.suspension.take().filter(|it| it.credentials == credentials);
        self.accepted = self.accepted.take().filter(|it| it == credentials);
        if self.accepted.is_none() && self.suspension.is_none() {
            self.refused = RefusedKeys::default();
        }
    }

    /// The keys that failed or were refused since the last success, in each case the longest ago first.
    pub(super) fn failed_keys(&self) -> Vec<String> {
        self.breaker.failed.iter().chain(&self.refused.keys).cloned().collect()
    }

    /// The server answered. Returns whether the credentials were suspended.
    pub(super) fn accepted(&mut self, credentials: &str) -> bool {
        if self.accepted.is_none() {
            self.accepted = Some(credentials.to_owned());
        }
        let RefusedKeys {
            keys,
            untried: _,
            mut earlier,
        } = std::mem::take(&mut self.refused);
        earlier.extend(keys);
        let excess = earlier.len().saturating_sub(REFUSED_KEYS_MAX);
        self.refused.earlier = earlier.split_off(excess);
        self.suspension.take().is_some()
    }

    /// The server refused a call. Returns for how long the credentials are suspended, if they were not before.
    pub(super) fn refused(
        &mut self,
        refusal: &Refusal<'_>,
        credentials: &str,
        now: DateTime<Utc>,
    ) -> (Option<Duration>, RefusalScope) {
        let refused = self.record(refusal, credentials, now);
        if let Some(suspension) = &mut self.suspension {
            suspension.untried_from = match self.refused.keys.len() {
                ..REFUSED_KEYS_FREE => now,
                REFUSED_KEYS_FREE..REFUSED_KEYS_MAX => now + delta(PROBE_INTERVAL),
                _ => suspension.until,
            };
        }
        refused
    }

    fn record(
        &mut self,
        refusal: &Refusal<'_>,
        credentials: &str,
        now: DateTime<Utc>,
    ) -> (Option<Duration>, RefusalScope) {
        let repeated = self.refused.keys.iter().any(|key| key == refusal.key);
        if !repeated && self.refused.keys.len() < REFUSED_KEYS_MAX {
            self.refused.keys.push(refusal.key.to_owned());
        }
        if self.accepted.is_some() {
            if repeated {
                return (None, RefusalScope::Unknown);
            }
            let suspended = self.suspension.is_some();
            if refusal.retried || self.refused.earlier.iter().any(|key| key == refusal.key) {
                let scope = if suspended {
                    RefusalScope::Unknown
                } else {
                    RefusalScope::Key
                };
                return (None, scope);
            }
            self.refused.untried = self.refused.untried.saturating_add(1);
            if !suspended && self.refused.untried < REFUSED_KEYS {
                return (None, RefusalScope::Key);
            }
        }
        (
            self.suspend(refusal.reason, credentials, now),
            RefusalScope::Credentials,
        )
    }

    /// Of a published status, the keys that failed while these credentials are suspended; `None` while they are not.
    pub fn failed_while_suspended(status: Option<Value>, credentials: &str, now: DateTime<Utc>) -> Option<Vec<String>> {
        let mut restrictions: Self = serde_json::from_value(status?).ok()?;
        restrictions.forget_other_credentials(credentials);
        let suspended = restrictions.suspension.as_ref().is_some_and(|it| it.until > now);
        suspended.then(|| restrictions.failed_keys())
    }

    fn suspend(&mut self, reason: &str, credentials: &str, now: DateTime<Utc>) -> Option<Duration> {
        let known = self.suspension.as_ref();
        if known.is_some_and(|known| known.until > now) {
            return None;
        }
        let times = known.map_or(0, |known| known.times);
        let pause = doubled(SUSPENSION, times, SUSPENSION_MAX);
        self.suspension = Some(Suspension {
            reason: reason.to_owned(),
            until: now + delta(pause),
            untried_from: now,
            times: times.saturating_add(1),
            credentials: credentials.to_owned(),
        });
        (times == 0).then_some(pause)
    }
}
