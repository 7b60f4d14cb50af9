//! An entry of a story.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StoryEntry {
    /// Null for what holds now.
    pub at: Option<DateTime<Utc>>,
    /// One word: `refused`, `received`, `fetched`, `parsed`, the outcome of a job, `counted`, `withheld`, `row`, `session`.
    pub step: String,
    pub text: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub delivery: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub job: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub session: Option<Uuid>,
}

impl StoryEntry {
    pub(super) fn new(at: Option<DateTime<Utc>>, step: &str, text: String) -> Self {
        Self {
            at,
            step: step.to_owned(),
            text,
            delivery: None,
            job: None,
            session: None,
        }
    }
}
