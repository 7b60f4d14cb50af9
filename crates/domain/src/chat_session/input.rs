//! Request bodies of the sessions API. Absent fields are left unchanged; unknown fields are refused.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::conversation_type::ConversationType;
use super::status::OpenStatus;

/// The session of a conversation, to create or update (`createOrUpdateChatSession`).
///
/// An absent or null field leaves the stored value; `PATCH …/trip` clears values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChatSession {
    /// `conversations.id`.
    pub conversation_id: Uuid,
    /// The broker who owns the session (`iso_agents.id`); it cannot change.
    pub iso_agent_id: Uuid,
    /// The trip request (`requests.id`), once there is one.
    pub request_id: Option<Uuid>,
    /// The new status; without it the session becomes active, also if it was paused.
    pub status: Option<OpenStatus>,
    /// The type of the conversation. Refused where the application's `chat_sessions` has no column for it.
    pub conversation_type: Option<ConversationType>,
    /// The workflow step: one of the four known steps, or any other word of the application's.
    #[schema(example = "understanding_request")]
    pub current_step: Option<String>,
    /// The application's context. It replaces the stored object, except for the service's key `avinode_trip`, which no caller writes.
    /// The object has at most 256 KiB and 64 levels; a number at most 128 characters and an exponent from -128 to 128.
    #[schema(value_type = Option<Object>)]
    pub workflow_state: Option<Map<String, Value>>,
    /// Either id of the Avinode trip, in any spelling.
    #[schema(example = "atrip-64956150")]
    pub avinode_trip_id: Option<String>,
    /// The id of the Avinode RFP.
    pub avinode_rfp_id: Option<String>,
    /// The id of one Avinode RFQ. It assigns events to the session if no session has the event's trip id.
    pub avinode_rfq_id: Option<String>,
    /// The application's own data. It replaces the stored object. The bounds are those of `workflow_state`.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
}

/// Activity in a session (`updateChatSessionActivity`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityUpdate {
    /// The number of messages to add to `message_count`.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub messages: Option<i32>,
}

/// A quote for a session (`updateChatSessionWithQuote`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteUpdate {
    /// `quotes.id`. The quote counts once, however often it is recorded here or received from Avinode.
    pub quote_id: Uuid,
    /// The new count; without it the count grows by one if the quote is new.
    #[schema(minimum = 0)]
    pub quotes_received_count: Option<i32>,
    /// The number of quotes expected.
    #[schema(minimum = 0)]
    pub quotes_expected_count: Option<i32>,
    /// `quotes.id` of the quote to propose. It is pinned: later quotes do not replace it.
    pub primary_quote_id: Option<Uuid>,
    /// The workflow step. Without it the session advances to `requesting_quotes`, and never moves back.
    pub current_step: Option<String>,
}

/// The proposal of a session (`updateChatSessionWithProposal`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposalUpdate {
    /// `proposals.id`.
    pub proposal_id: Uuid,
}
