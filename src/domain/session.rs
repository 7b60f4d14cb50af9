//! A session as the rules see it: the columns they read, and what the service remembers beside them.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::ids::QuoteId;

/// What the rules read of a row of `chat_sessions`, its ledger and its state.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionSnapshot {
    /// `chat_sessions.id`.
    pub id: Uuid,
    /// Completed or archived: the primary quote, the step and the status stay.
    pub is_closed: bool,
    /// `current_step`, also a word that the rules do not know.
    pub current_step: Option<String>,
    /// `quotes_expected_count`.
    pub quotes_expected_count: i32,
    /// `operators_contacted_count`.
    pub operators_contacted_count: i32,
    /// `last_activity_at`.
    pub last_activity_at: DateTime<Utc>,
    /// Whether `workflow_state` is an object, into which the trip's status can be written.
    pub takes_trip_status: bool,
    /// `workflow_state.avinode_trip.status`, if it stands there.
    pub trip_status: Option<String>,
    /// `workflow_state.avinode_trip.at`, if it stands there.
    pub trip_status_at: Option<DateTime<Utc>>,
    /// A person chose the primary quote: no policy replaces it.
    pub pinned: bool,
    /// The quotes that have entered its ledger.
    pub ledger: BTreeSet<QuoteId>,
}
