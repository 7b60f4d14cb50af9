//! The states of a job, as `jobs list` filters and prints them.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The state of a job. A finished job has none: it leaves the queue, and `outcomes` keeps what became of it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema, ValueEnum, sqlx::Type,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum JobState {
    /// Due, and not claimed.
    Available,
    /// Claimed by a worker.
    Running,
    /// Never tried, and due in the future.
    Scheduled,
    /// Tried without success, and will run again.
    Retryable,
    /// Dead-lettered: kept until it is retried or discarded.
    Dead,
}

impl JobState {
    /// The spelling in lists, filters and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Running => "running",
            Self::Scheduled => "scheduled",
            Self::Retryable => "retryable",
            Self::Dead => "dead",
        }
    }
}
