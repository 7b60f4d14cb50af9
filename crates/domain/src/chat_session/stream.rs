//! The entries of all timelines as one stream.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

/// An entry of a session's timeline, in the stream of all sessions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StreamEntry {
    /// The position in the stream: the `id` of the event, not part of its data.
    #[serde(skip)]
    pub position: i64,
    /// The session.
    pub session_id: Uuid,
    /// The broker of the session.
    pub iso_agent_id: Option<Uuid>,
    /// The number of the entry in the session's timeline; numbers rise and may have gaps.
    pub seq: i64,
    /// The time at which it became known.
    pub recorded_at: DateTime<Utc>,
    /// The time at which it happened, by the sender's clock.
    pub happened_at: Option<DateTime<Utc>>,
    /// The kind, as in the session's timeline.
    #[schema(example = "quote_received")]
    pub kind: String,
    /// Prices, names and reasons for people.
    #[schema(value_type = Object)]
    pub detail: Value,
    /// The delivery that reported it, if one did.
    pub delivery_id: Option<Uuid>,
    /// Who made it, as in the session's timeline.
    #[serde(default)]
    #[schema(example = "token:dashboard")]
    pub actor: Option<String>,
}

/// Conditions that an entry must all match; without any, every entry matches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamFilter {
    pub session_id: Option<Uuid>,
    pub iso_agent_id: Option<Uuid>,
}

impl StreamFilter {
    pub fn accepts(&self, entry: &StreamEntry) -> bool {
        let Self {
            session_id,
            iso_agent_id,
        } = self;
        session_id.is_none_or(|session| session == entry.session_id)
            && iso_agent_id.is_none_or(|agent| entry.iso_agent_id == Some(agent))
    }
}
