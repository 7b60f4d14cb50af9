//! The four statuses of a session.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `chat_sessions.status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
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
    const ALL: [Self; 4] = [Self::Active, Self::Paused, Self::Completed, Self::Archived];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Completed => "completed",
            Self::Archived => "archived",
        }
    }

    /// The primary quote, the step and the status of a closed session stay.
    pub fn is_closed(self) -> bool {
        matches!(self, Self::Completed | Self::Archived)
    }

    /// The status of a word; `None` for a word of the application's own.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// The status of a session in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OpenStatus {
    /// In use.
    Active,
    /// The user is away.
    Paused,
}

impl OpenStatus {
    pub fn status(self) -> SessionStatus {
        match self {
            Self::Active => SessionStatus::Active,
            Self::Paused => SessionStatus::Paused,
        }
    }
}
