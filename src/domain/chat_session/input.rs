//! What a caller says of a session. What is absent is not touched; unknown fields are refused.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::status::OpenStatus;

/// A conversation's session, to be made or brought up to date (`createOrUpdateChatSession`).
///
/// A field that is absent or null leaves what is there; `PATCH …/trip` clears.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChatSession {
    /// The conversation.
    pub conversation_id: Uuid,
    /// The broker whose session it is. A conversation's session keeps its broker.
    pub iso_agent_id: Uuid,
    /// The trip request, once there is one.
    pub request_id: Option<Uuid>,
    /// What the session's status is to be; a session that is found paused is resumed when this is absent.
    pub status: Option<OpenStatus>,
    /// The step of the workflow: one of the four known ones, or a word of the application's own.
    #[schema(example = "understanding_request")]
    pub current_step: Option<String>,
    /// The application's context. Replaces what is there; only the key `avinode_trip`, which the service keeps, stays.
    #[schema(value_type = Option<Object>)]
    pub workflow_state: Option<Map<String, Value>>,
    /// The Avinode trip, in any spelling of either of its ids.
    #[schema(example = "atrip-64956150")]
    pub avinode_trip_id: Option<String>,
    /// The Avinode RFP.
    pub avinode_rfp_id: Option<String>,
    /// One Avinode RFQ; the session is found by it where no session has an event's trip.
    pub avinode_rfq_id: Option<String>,
    /// The application's own. Replaces what is there.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Map<String, Value>>,
}

/// That something happened in a session (`updateChatSessionActivity`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActivityUpdate {
    /// How many messages `message_count` grows by.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub messages: Option<i32>,
}

/// A quote for a session (`updateChatSessionWithQuote`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteUpdate {
    /// `quotes.id`. It counts once, however often it is said and whether or not Avinode's webhook says it too.
    pub quote_id: Uuid,
    /// What the count is to be from now on; without it the count grows by one for a quote that is new.
    #[schema(minimum = 0)]
    pub quotes_received_count: Option<i32>,
    /// How many quotes are expected.
    #[schema(minimum = 0)]
    pub quotes_expected_count: Option<i32>,
    /// `quotes.id` of the quote to propose. It is pinned: it stays whatever comes.
    pub primary_quote_id: Option<Uuid>,
    /// The step of the workflow. Without it the session is moved on to `requesting_quotes`, never back.
    pub current_step: Option<String>,
}

/// A proposal made from a session (`updateChatSessionWithProposal`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProposalUpdate {
    /// `proposals.id`.
    pub proposal_id: Uuid,
}
