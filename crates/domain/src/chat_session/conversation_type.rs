//! The two types of a conversation, as the application distinguishes them.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;
use utoipa::ToSchema;

/// `chat_sessions.conversation_type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum ConversationType {
    /// The conversation is about a trip.
    FlightRequest,
    /// Any other conversation.
    General,
}

/// The type of a session's conversation (`updateChatSessionType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConversationTypeUpdate {
    /// The new type.
    pub conversation_type: ConversationType,
}
