//! The four statuses of a session.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};
use utoipa::ToSchema;

/// `chat_sessions.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoStaticStr, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SessionStatus {
    /// In use.
    Active,
    /// The user is away.
    Paused,
    /// The proposal was sent.
    Completed,
    /// Completed more than 90 days ago.
    Archived,
}

impl SessionStatus {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The primary quote, the step and the status of a closed session stay.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Completed | Self::Archived)
    }

    /// False for a word of the application's own.
    pub fn is_closed_word(word: &str) -> bool {
        word.parse().is_ok_and(Self::is_closed)
    }
}

/// The status of a session in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum OpenStatus {
    /// In use.
    Active,
    /// The user is away.
    Paused,
}
