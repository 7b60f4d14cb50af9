//! The kinds of alerts. Of each, at most one is sent per hour.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum AlertKind {
    /// Jobs were dead-lettered for a reason that was not seen before.
    NewDeadLetters,
    FetchingStopped,
    FetchingResumed,
    /// Deliveries were answered 503.
    DeliveriesRefused,
    /// A due job has waited for too long.
    JobOverdue,
    /// No delivery was received for too much working time.
    NoDeliveries,
}

impl AlertKind {
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The subject of an e-mail.
    pub fn title(self) -> &'static str {
        match self {
            Self::NewDeadLetters => "jobs were dead-lettered for a new reason",
            Self::FetchingStopped => "fetching has stopped",
            Self::FetchingResumed => "fetching goes on",
            Self::DeliveriesRefused => "deliveries were refused",
            Self::JobOverdue => "a job is overdue",
            Self::NoDeliveries => "no delivery was received",
        }
    }

    /// The section of docs/runbook.md.
    pub fn runbook_section(self) -> &'static str {
        match self {
            Self::NewDeadLetters => "IngestDeadLetters",
            Self::FetchingStopped | Self::FetchingResumed => "IngestFetchingSuspended",
            Self::DeliveriesRefused => "IngestDeliveriesRefused",
            Self::JobOverdue => "IngestJobsOverdue",
            Self::NoDeliveries => "IngestNoDeliveries",
        }
    }
}
