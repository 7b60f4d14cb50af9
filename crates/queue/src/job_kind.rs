//! The kinds of jobs, spelled as in `jobs.kind`.

use std::fmt;

/// The kind of a job: decides which handler runs it. Triggers insert `rematch` jobs as well, by this spelling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
}

impl JobKind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::FullEvent,
        Self::EventReplay,
        Self::UnknownFormat,
        Self::Rematch,
        Self::QuoteExpiry,
        Self::FetchNotified,
        Self::FetchFollowUp,
        Self::Reconcile,
    ];

    /// The kinds that need Avinode's API, the most urgent first.
    pub const FETCHING: [Self; 3] = [Self::FetchNotified, Self::FetchFollowUp, Self::Reconcile];

    /// The spelling in `jobs.kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FullEvent => "full_event",
            Self::EventReplay => "event_replay",
            Self::UnknownFormat => "unknown_format",
            Self::Rematch => "rematch",
            Self::QuoteExpiry => "quote_expiry",
            Self::FetchNotified => "fetch_notified",
            Self::FetchFollowUp => "fetch_follow_up",
            Self::Reconcile => "reconcile",
        }
    }

    /// Parses the spelling in `jobs.kind`.
    pub fn parse(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == kind)
    }
}

impl fmt::Display for JobKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests;
