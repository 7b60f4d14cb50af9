//! The body of a webhook: the present state of a session, and the kinds of the timeline entries since the last acknowledged one. The texts of
//! the entries are not in it.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::chat_session::view::{ChatSession, TimelineEntry};

/// The content of a webhook.
#[derive(Debug, Clone, Serialize)]
pub struct SessionMessage {
    #[serde(rename = "type")]
    message_type: &'static str,
    data: SessionData,
}

#[derive(Debug, Clone, Serialize)]
struct SessionData {
    session_id: Uuid,
    /// Grows with each different content of the session: a receiver ignores a version below one that it has.
    version: i64,
    #[serde(flatten)]
    state: SessionSummary,
    changes: Vec<SessionChange>,
    /// There are more entries than `changes` has.
    changes_truncated: bool,
}

/// The state of a session in a webhook. A different value is a new version.
#[derive(Debug, Clone, Serialize)]
pub struct SessionSummary {
    conversation_id: Uuid,
    request_id: Option<Uuid>,
    iso_agent_id: Uuid,
    status: String,
    current_step: Option<String>,
    avinode_trip_id: Option<String>,
    quotes_received_count: i32,
    quotes_expected_count: i32,
    operators_contacted_count: i32,
    primary_quote: Option<PrimaryQuoteSummary>,
    proposal_id: Option<Uuid>,
    /// The number of the last timeline entry; 0 without any.
    timeline_seq: i64,
}

#[derive(Debug, Clone, Serialize)]
struct PrimaryQuoteSummary {
    id: Uuid,
    pinned: bool,
    operator_name: Option<String>,
    total_price: Option<Decimal>,
    aircraft_type: Option<String>,
}

/// An entry of the timeline, without its texts.
#[derive(Debug, Clone, Serialize)]
struct SessionChange {
    seq: i64,
    kind: String,
    recorded_at: DateTime<Utc>,
    happened_at: Option<DateTime<Utc>>,
    delivery_id: Option<Uuid>,
}

impl SessionSummary {
    pub fn new(session: ChatSession, timeline_seq: i64) -> Self {
        let primary_quote = session.primary_quote_id.map(|id| PrimaryQuoteSummary {
            id,
            pinned: session.primary_quote_pinned,
            operator_name: session.operator_name,
            total_price: session.total_price,
            aircraft_type: session.aircraft_type,
        });
        Self {
            conversation_id: session.conversation_id,
            request_id: session.request_id,
            iso_agent_id: session.iso_agent_id,
            status: session.status,
            current_step: session.current_step,
            avinode_trip_id: session.avinode_trip_id,
            quotes_received_count: session.quotes_received_count,
            quotes_expected_count: session.quotes_expected_count,
            operators_contacted_count: session.operators_contacted_count,
            primary_quote,
            proposal_id: session.proposal_id,
            timeline_seq,
        }
    }

    /// SHA-256 in hex.
    ///
    /// # Errors
    /// None in practice: these values are all JSON.
    pub fn digest(&self) -> serde_json::Result<String> {
        Ok(hex::encode(Sha256::digest(serde_json::to_vec(self)?)))
    }
}

impl SessionMessage {
    pub fn new(
        session_id: Uuid,
        version: i64,
        state: SessionSummary,
        entries: Vec<TimelineEntry>,
        changes_truncated: bool,
    ) -> Self {
        let changes = entries.into_iter().map(|entry| SessionChange {
            seq: entry.seq,
            kind: entry.kind,
            recorded_at: entry.recorded_at,
            happened_at: entry.happened_at,
            delivery_id: entry.delivery_id,
        });
        Self {
            message_type: "session.changed",
            data: SessionData {
                session_id,
                version,
                state,
                changes: changes.collect(),
                changes_truncated,
            },
        }
    }

    /// The `webhook-id`: the same for each attempt to send a version.
    pub fn id(&self) -> String {
        format!("msg_{}_{}", self.data.session_id.simple(), self.data.version)
    }

    /// The version of the session.
    pub fn version(&self) -> i64 {
        self.data.version
    }

    /// The last timeline entry that an acknowledgement covers.
    pub fn timeline_seq(&self) -> i64 {
        self.data.state.timeline_seq
    }
}
