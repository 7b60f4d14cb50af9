//! The table `session_state`: the last decision about a session. The pin, in the same table, is written by the triggers and
//! the API.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::primary_quote::PrimaryQuotePolicy;

/// The state of a locked session after a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionState {
    pub session: Uuid,
    /// The quote selected last.
    pub selected_quote: Option<String>,
    /// The policy by which it was selected among all quotes; `None` if the last decision selected nothing.
    pub selected_by: Option<PrimaryQuotePolicy>,
    /// In whole minutes, so that a decision without a change writes nothing.
    pub selected_at: Option<DateTime<Utc>>,
    /// The trip id by which it was matched last.
    pub matched_trip: Option<String>,
    /// The RFQs by which it was matched last, separated by blanks.
    pub matched_rfq: Option<String>,
    /// The key of the trip that it names and that is another agent's.
    pub withheld_trip: Option<String>,
    /// The last number in its timeline.
    pub timeline_seq: i64,
}
