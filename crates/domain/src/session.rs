//! A session as the rules see it: the columns they read, its ledger and its pin.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::ids::QuoteId;
use super::primary_quote::LastSelection;

/// The parts of a `chat_sessions` row, its ledger and its state that the rules read.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionSnapshot {
    pub id: Uuid,
    /// Completed or archived: the primary quote, the step and the status stay.
    pub is_closed: bool,
    /// Any word, also one that the rules do not know.
    pub current_step: Option<String>,
    pub quotes_expected_count: i32,
    pub operators_contacted_count: i32,
    pub last_activity_at: DateTime<Utc>,
    /// `workflow_state` is an object, so the trip's status can be written into it.
    pub accepts_trip_status: bool,
    /// `workflow_state.avinode_trip.status`.
    pub trip_status: Option<String>,
    /// `workflow_state.avinode_trip.at`.
    pub trip_status_at: Option<DateTime<Utc>>,
    /// A person chose the primary quote: no policy replaces it.
    pub pinned: bool,
    /// The quotes counted so far; for a trip with a part of its facts, those of the quotes that were asked for.
    pub ledger: BTreeSet<QuoteId>,
    /// The last selection. `None` if there was none, or if it says nothing about the facts that were not loaded.
    pub last_selection: Option<LastSelection>,
}
