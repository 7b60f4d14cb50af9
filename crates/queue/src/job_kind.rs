//! The kinds of jobs, spelled as in `jobs.kind`.

use serde::{Deserialize, Serialize};
use strum::{Display, EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

/// The kind of a job: decides which handler runs it. Triggers insert `rematch` jobs as well, by this spelling.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    IntoStaticStr,
    EnumString,
    Display,
    VariantArray,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Applies a full event.
    FullEvent,
    /// Applies a stored full event again, past the event keys: facts and ledger make that idempotent.
    EventReplay,
    /// JSON in neither format: dead-lettered, and replayable after an upgrade that understands it.
    UnknownFormat,
    /// Compares a session with everything known about its trip.
    Rematch,
    /// Selects primary quotes again when a quote's `validUntil` passes.
    QuoteExpiry,
    /// Fetches the resource of a thin notification.
    FetchNotified,
    /// Fetches a resource that another document refers to, or one again that may have been fetched too early.
    FetchFollowUp,
    /// Fetches a trip, or a part of it, to find what missed notifications left out.
    Reconcile,
    /// Fetches a trip that only the row of a session names, and that may not exist. The number of jobs is bounded for each agent
    /// (the batch key) and in all.
    FetchSpeculative,
    /// Sends a webhook about a changed session to the application.
    NotifySession,
    /// Runs a step of a batch that was begun over HTTP.
    RunBatch,
}

impl JobKind {
    /// The kinds that need Avinode's API, the most urgent first. The last two are equally urgent.
    pub const FETCHING: [Self; 4] = [
        Self::FetchNotified,
        Self::FetchFollowUp,
        Self::Reconcile,
        Self::FetchSpeculative,
    ];

    /// The kinds that apply what is stored.
    pub const APPLYING: [Self; 4] = [Self::FullEvent, Self::EventReplay, Self::UnknownFormat, Self::Rematch];

    /// The kinds that wait for a time and not for a worker. The service makes them, and makes missing ones again.
    pub const TIMERS: [Self; 1] = [Self::QuoteExpiry];

    /// The spelling in `jobs.kind`.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

#[cfg(test)]
mod tests;
