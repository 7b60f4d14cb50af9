//! Response bodies of the sessions API. Money is a decimal in a string: most clients read a JSON number as a float, and lose
//! cents.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::patch::present;

/// A chat session: the columns of its row, with those that only the application knows, and some columns of the rows to which it
/// refers.
///
/// A timestamp that is `infinity` in the database, or beyond the year 262142, is null, as is a price of more than 15 digits. A text of a
/// row to which it refers is cut after 10,000 characters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ChatSession {
    /// `chat_sessions.id`.
    pub id: Uuid,
    /// `conversations.id`.
    pub conversation_id: Uuid,
    /// The trip request (`requests.id`).
    pub request_id: Option<Uuid>,
    /// The broker who owns the session (`iso_agents.id`).
    pub iso_agent_id: Uuid,
    /// `active`, `paused`, `completed` or `archived`.
    #[schema(example = "active")]
    pub status: String,
    /// The id of the Avinode trip, as written.
    pub avinode_trip_id: Option<String>,
    /// The id of the Avinode RFP.
    pub avinode_rfp_id: Option<String>,
    /// The id of one Avinode RFQ.
    pub avinode_rfq_id: Option<String>,
    /// The quote to propose: `quotes.id`.
    pub primary_quote_id: Option<Uuid>,
    /// True if a person or the application chose the primary quote; the service then does not replace it.
    pub primary_quote_pinned: bool,
    /// The proposal: `proposals.id`.
    pub proposal_id: Option<Uuid>,
    /// The start of the workflow.
    pub session_started_at: Option<DateTime<Utc>>,
    /// The time of completion.
    pub session_ended_at: Option<DateTime<Utc>>,
    /// The time of the last activity.
    pub last_activity_at: Option<DateTime<Utc>>,
    /// `understanding_request`, `searching_aircraft`, `requesting_quotes`, `proposal_ready`, or another word of the
    /// application's.
    #[schema(example = "requesting_quotes")]
    pub current_step: Option<String>,
    /// The application's context; the service writes its key `avinode_trip`.
    #[schema(value_type = Option<Object>)]
    pub workflow_state: Option<Value>,
    /// The number of messages in the conversation.
    pub message_count: i32,
    /// The number of quotes received, each counted once.
    pub quotes_received_count: i32,
    /// The number of quotes expected.
    pub quotes_expected_count: i32,
    /// The number of operators contacted.
    pub operators_contacted_count: i32,
    /// The application's own data.
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Value>,
    /// The time at which the row was created.
    pub created_at: Option<DateTime<Utc>>,
    /// The time of the row's last change.
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
    /// The operator of the primary quote.
    pub operator_name: Option<String>,
    /// The price of the primary quote, as a decimal in a string.
    #[schema(value_type = Option<String>, example = "48250.00")]
    pub total_price: Option<Decimal>,
    /// The currency of the price; null if unknown.
    #[schema(example = "USD")]
    pub currency: Option<String>,
    /// The aircraft of the primary quote.
    pub aircraft_type: Option<String>,
    /// `flight_request` or `general`; absent where `chat_sessions` has no such column.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "general")]
    pub conversation_type: Option<Option<String>>,
    /// The columns of `chat_sessions` that are left out because their values are too large (a text of more than 260 KiB, or nested
    /// more than 64 deep); absent if there are none. `*` stands for all columns of variable length.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!(["workflow_state"]))]
    pub omitted_fields: Vec<String>,
    /// The columns of `chat_sessions` that only the application knows.
    #[serde(flatten)]
    pub other_columns: Map<String, Value>,
}

/// A quote in a session's ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SessionQuote {
    /// The key in the ledger, which orders the list; not part of a response.
    #[serde(skip)]
    pub key: String,
    /// `quotes.id`; null while the quote has no row there (the session has no request, or the quote no price).
    pub quote_id: Option<Uuid>,
    /// Avinode's id of the quote; null for a quote that did not come from Avinode.
    #[schema(example = "aquote-386512791")]
    pub avinode_quote_id: Option<String>,
    /// True for the session's primary quote.
    pub is_primary: bool,
    /// False for a quote that the application had counted before the service was attached.
    pub counted: bool,
    /// The time at which the quote entered the ledger.
    pub entered_at: DateTime<Utc>,
    /// The operator that made the quote.
    pub operator_name: Option<String>,
    /// The price, as a decimal in a string.
    #[schema(value_type = Option<String>, example = "48250.00")]
    pub total_price: Option<Decimal>,
    /// The currency of the price; null if unknown.
    #[schema(example = "USD")]
    pub currency: Option<String>,
    /// The type or model of the aircraft.
    pub aircraft_type: Option<String>,
    /// The registration of the aircraft.
    pub aircraft_tail_number: Option<String>,
    /// The end of the quote's validity.
    pub valid_until: Option<DateTime<Utc>>,
    /// True if the quote, or the RFQ that it answers, was declined, and the seller has not stated the quote again since.
    pub declined: bool,
    /// The reason for the decline.
    pub decline_reason: Option<String>,
    /// `quotes.status`, as the application writes it.
    pub status: Option<String>,
}

/// An entry of a session's timeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TimelineEntry {
    /// The number of the entry; numbers rise and may have gaps.
    pub seq: i64,
    /// The time at which it became known.
    pub recorded_at: DateTime<Utc>,
    /// The time at which it happened, by the sender's clock.
    pub happened_at: Option<DateTime<Utc>>,
    /// `quote_received`, `quote_changed`, `rfq_declined`, `rfq_cancelled`, `quote_accepted`, `quote_expired`, `message_received`,
    /// `trip_requested`, `trip_updated`, `trip_cancelled`, `trip_expired`,
    /// `trip_withheld`, `proposal_attached`, `session_completed`, `primary_quote_pinned` or `primary_quote_unpinned`.
    #[schema(example = "quote_received")]
    pub kind: String,
    /// Prices, names and reasons for people.
    #[schema(value_type = Object)]
    pub detail: Value,
    /// The delivery that reported it, if one did.
    pub delivery_id: Option<Uuid>,
    /// Who made it: `token:NAME` for a call of the API, `cli:USER@HOST` for the command line, `user:NAME` for a user whom a proxy names to
    /// the console; null for the service itself.
    #[serde(default)]
    #[schema(example = "token:dashboard")]
    pub actor: Option<String>,
}

/// The number of active sessions at a workflow step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct StepCount {
    /// The step; null if none is set.
    pub current_step: Option<String>,
    /// The number of active sessions at the step.
    pub count: i64,
}

/// The number of active sessions, by workflow step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Statistics {
    /// The number of all active sessions.
    pub active: i64,
    /// The number by step, the largest first.
    pub by_step: Vec<StepCount>,
}

/// The result of archiving.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArchiveResult {
    /// The number of sessions archived; null if the application's own function does not return it.
    pub archived: Option<i64>,
}
