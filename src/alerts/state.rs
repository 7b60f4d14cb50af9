//! The state of alerts: what was sent, what is to be sent, and what is known. The leader keeps it in its lease row, so that neither
//! a restart nor a change of the leader repeats an alert.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::alert_kind::AlertKind;
use super::outbox::AlertOutbox;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AlertState {
    /// Counts the writes, so that a process sees whether another one wrote.
    pub version: u64,
    /// The first look.
    pub began: Option<DateTime<Utc>>,
    /// The last alert of each kind.
    pub last: BTreeMap<AlertKind, DateTime<Utc>>,
    /// The conditions that lasted at the last look, and were reported.
    pub lasting: BTreeSet<AlertKind>,
    pub refused: RefusedState,
    pub dead: DeadState,
    pub fetching: FetchingState,
    pub outbox: AlertOutbox,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RefusedState {
    /// Deliveries that no alert has named yet.
    pub unreported: u64,
    /// The total of the shared counter at the last look.
    pub seen: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeadState {
    /// The last look at dead jobs.
    pub looked: Option<DateTime<Utc>>,
    /// Known reasons, each with the last look that saw it.
    pub known: BTreeMap<String, DateTime<Utc>>,
    /// Reasons that no alert has named yet, each with the number of jobs.
    pub unreported: BTreeMap<String, i64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FetchingState {
    /// Fetching was seen to run.
    pub ran: bool,
    /// A stop was reported, and no resumption since.
    pub stop_reported: bool,
    /// Fetching has not run since then.
    pub stopped_since: Option<DateTime<Utc>>,
}

impl AlertState {
    /// Returns the state to go on with: that of the lease row, or the newer one of a leader that could not write it meanwhile. If
    /// another process has written, only what this one sent, and still has to send, is added to that.
    #[must_use]
    pub fn resume(stored: Self, memory: Option<Self>) -> Self {
        match memory {
            None => stored,
            Some(memory) if memory.version >= stored.version => memory,
            Some(memory) => {
                let mut state = stored;
                for (kind, at) in memory.last {
                    let last = state.last.entry(kind).or_insert(at);
                    *last = at.max(*last);
                }
                state.outbox.add_all(memory.outbox);
                state
            }
        }
    }
}

#[cfg(test)]
mod tests;
