//! One statement about a quote.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::event::{FactSource, QuoteDetails};

/// One distinct statement about a quote, read once or repeatedly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub details: QuoteDetails,
    pub source: FactSource,
    /// The sender's own time: the timestamp of an event, or the time at which a document was written or updated.
    pub at: Option<DateTime<Utc>>,
    /// When the first delivery of an event was received, or the first GET with this statement began.
    pub first_seen_at: DateTime<Utc>,
    /// When the last GET with this statement began; for an event as `first_seen_at`.
    pub last_seen_at: DateTime<Utc>,
    /// SHA-256 of the content.
    #[serde(with = "hex::serde")]
    pub digest: [u8; 32],
}

/// The last change of a quote, in the order of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangeTime {
    pub at: DateTime<Utc>,
    pub source: FactSource,
    pub seen_at: DateTime<Utc>,
}

impl Observation {
    pub(super) fn is_same_statement(&self, other: &Self) -> bool {
        (self.source, self.at, self.digest) == (other.source, other.at, other.digest)
    }

    pub(super) fn merge_repetition(&mut self, other: &Self) {
        self.first_seen_at = self.first_seen_at.min(other.first_seen_at);
        self.last_seen_at = match self.source {
            FactSource::Event => self.first_seen_at,
            FactSource::Document => self.last_seen_at.max(other.last_seen_at),
        };
    }

    /// An event counts from its first delivery, a document as of its last GET.
    pub(super) fn seen_at(&self) -> DateTime<Utc> {
        self.last_seen_at
    }

    pub(super) fn first_moment(&self) -> DateTime<Utc> {
        self.at.unwrap_or(self.first_seen_at)
    }

    /// When the sender stated it: an event, or a document with a time of its own. `None` for a document that only shows the
    /// current state.
    pub(super) fn stated_at(&self) -> Option<ChangeTime> {
        let is_statement = self.source == FactSource::Event || self.at.is_some();
        let at = self.first_moment();
        is_statement.then_some(ChangeTime {
            at,
            source: self.source,
            seen_at: match self.source {
                FactSource::Event => self.first_seen_at,
                FactSource::Document => at,
            },
        })
    }
}
