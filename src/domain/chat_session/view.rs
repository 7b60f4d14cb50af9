//! Sessions, their quotes and their timelines as they are shown. Money is a decimal in a string: a JSON number would be
//! read as a float by most, and lose cents.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// A chat session: the columns of its row, and what it refers to, for people.
///
/// A moment that is none (`infinity`) is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChatSession {
    /// The session.
    pub id: Uuid,
    /// Its conversation.
    pub conversation_id: Uuid,
    /// Its trip request.
    pub request_id: Option<Uuid>,
    /// The broker whose session it is.
    pub iso_agent_id: Uuid,
    /// `active`, `paused`, `completed` or `archived`.
    #[schema(example = "active")]
    pub status: String,
    /// The Avinode trip, as it was written.
    pub avinode_trip_id: Option<String>,
    /// The Avinode RFP.
    pub avinode_rfp_id: Option<String>,
    /// One Avinode RFQ.
    pub avinode_rfq_id: Option<String>,
    /// The quote to propose: `quotes.id`.
    pub primary_quote_id: Option<Uuid>,
    /// Whether a person or the application chose the primary quote, so that nothing else replaces it.
    pub primary_quote_pinned: bool,
    /// The proposal: `proposals.id`.
    pub proposal_id: Option<Uuid>,
    /// When the workflow began.
    pub session_started_at: Option<DateTime<Utc>>,
    /// When it was completed.
    pub session_ended_at: Option<DateTime<Utc>>,
    /// When something last happened.
    pub last_activity_at: Option<DateTime<Utc>>,
    /// `understanding_request`, `searching_aircraft`, `requesting_quotes`, `proposal_ready`, or a word of the application's.
    #[schema(example = "requesting_quotes")]
    pub current_step: Option<String>,
    /// The application's context; the key `avinode_trip` is the service's.
    #[schema(value_type = Option<Object>)]
    pub workflow_state: Option<Value>,
    /// Messages of the conversation.
    pub message_count: i32,
    /// Quotes received, each once.
    pub quotes_received_count: i32,
    /// Quotes asked for.
    pub quotes_expected_count: i32,
    /// Operators asked.
    pub operators_contacted_count: i32,
    /// The application's own.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Value>,
    /// When the row was made.
    pub created_at: Option<DateTime<Utc>>,
    /// When the row was last changed.
    pub updated_at: Option<DateTime<Utc>>,
    /// `conversations.subject`.
    pub conversation_subject: Option<String>,
    /// `requests.departure_airport`.
    #[schema(example = "KTEB")]
    pub departure_airport: Option<String>,
    /// `requests.arrival_airport`.
    #[schema(example = "KPBI")]
    pub arrival_airport: Option<String>,
    /// `requests.departure_date`.
    pub departure_date: Option<DateTime<Utc>>,
    /// The primary quote's operator.
    pub operator_name: Option<String>,
    /// The primary quote's price, as a decimal in a string.
    #[schema(value_type = Option<String>, example = "48250.00")]
    pub total_price: Option<Decimal>,
    /// The primary quote's aircraft.
    pub aircraft_type: Option<String>,
}

/// A quote that has entered a session's ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SessionQuote {
    /// `quotes.id`; null while the quote is not shown there (no request, no price).
    pub quote_id: Option<Uuid>,
    /// Avinode's id; null for a quote that did not come from Avinode.
    #[schema(example = "aquote-386512791")]
    pub avinode_quote_id: Option<String>,
    /// Whether it is the session's primary quote.
    pub is_primary: bool,
    /// False for a quote that the application had counted before the service came.
    pub counted: bool,
    /// When it entered the ledger.
    pub entered_at: DateTime<Utc>,
    /// The operator.
    pub operator_name: Option<String>,
    /// The price, as a decimal in a string.
    #[schema(value_type = Option<String>, example = "48250.00")]
    pub total_price: Option<Decimal>,
    /// The price's currency, where it is known.
    #[schema(example = "USD")]
    pub currency: Option<String>,
    /// The aircraft.
    pub aircraft_type: Option<String>,
    /// Its registration.
    pub aircraft_tail_number: Option<String>,
    /// Until when it stands.
    pub valid_until: Option<DateTime<Utc>>,
    /// Whether the quote, or the RFQ that it answers, was declined.
    pub declined: bool,
    /// Why.
    pub decline_reason: Option<String>,
    /// `quotes.status`: the application's word.
    pub status: Option<String>,
}

/// A line of a session's timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelineEntry {
    /// Its number; numbers rise and may have gaps.
    pub seq: i64,
    /// When it became known.
    pub recorded_at: DateTime<Utc>,
    /// When it happened, by the sender's clock.
    pub happened_at: Option<DateTime<Utc>>,
    /// `quote_received`, `quote_changed`, `rfq_declined`, `quote_expired`, `message_received`, `trip_requested`,
    /// `trip_updated`, `trip_cancelled`, `trip_expired`, `proposal_attached` or `session_completed`.
    #[schema(example = "quote_received")]
    pub kind: String,
    /// More, for people.
    #[schema(value_type = Object)]
    pub detail: Value,
    /// The delivery that told, where one did.
    pub delivery_id: Option<Uuid>,
}

/// How many active sessions are at a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepCount {
    /// The step; null where none is set.
    pub current_step: Option<String>,
    /// Active sessions at it.
    pub count: i64,
}

/// Active sessions by step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Statistics {
    /// All active sessions.
    pub active: i64,
    /// The same by step, the most first.
    pub by_step: Vec<StepCount>,
}

/// What archiving did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArchiveResult {
    /// How many sessions were archived; null where the application's own function does not say.
    pub archived: Option<i64>,
}
