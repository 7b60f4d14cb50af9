//! Subjects of deliveries: the kind of the events of a delivery, and the ids that they name.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};
use utoipa::ToSchema;

use super::event::{Event, EventKind, TripStatus};
use super::ids::{QuoteId, RfqId};

/// The most RFQs, and the most quotes, that are kept of one delivery.
const MAX_IDS: usize = 100;

/// The kind of a delivery, by its events. A document with several events has the first of these kinds: the end of an RFQ or of a
/// quote comes before the quote, and that before the request.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    IntoStaticStr,
    EnumString,
    VariantArray,
    Serialize,
    Deserialize,
    ToSchema,
)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[serde(rename_all = "snake_case")]
pub enum SubjectKind {
    /// An RFQ or a trip was cancelled.
    Cancellation,
    Decline,
    /// The buyer accepted a quote.
    Acceptance,
    /// A quote, stated by its seller or by a document.
    Quote,
    Message,
    /// An RFQ was sent.
    RfqSent,
    /// A trip was updated, or expired.
    TripChange,
    /// A document says something about a quote without stating it.
    QuoteStatus,
    /// No event was read: the content is unknown, or has no meaning for sessions.
    #[default]
    Other,
}

impl SubjectKind {
    /// The word in the column `kind`, in filters and in JSON.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    fn of_event(kind: &EventKind) -> Self {
        match kind {
            EventKind::QuoteReceived(_) | EventKind::QuoteObserved(_) => Self::Quote,
            EventKind::QuoteReaffirmed { .. } | EventKind::QuoteOrigin { .. } => Self::QuoteStatus,
            EventKind::RfqDeclined { .. } => Self::Decline,
            EventKind::MessageReceived { .. } => Self::Message,
            EventKind::QuoteAccepted { .. } => Self::Acceptance,
            EventKind::TripRequested { .. } => Self::RfqSent,
            EventKind::RfqCancelled { .. } => Self::Cancellation,
            EventKind::TripChanged { status, .. } => match status {
                TripStatus::Cancelled => Self::Cancellation,
                TripStatus::Updated | TripStatus::Expired => Self::TripChange,
            },
        }
    }
}

/// The subject of a delivery. It has ids only, and no text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    pub kind: SubjectKind,
    /// `eventId`.
    pub event_id: Option<String>,
    /// In normal form.
    pub trip: Option<String>,
    /// In normal form.
    pub rfqs: Vec<String>,
    pub quotes: Vec<String>,
}

impl Subject {
    /// The subject of a delivery, or of the document that was fetched for it, with these events.
    pub fn of_events(events: &[Event]) -> Self {
        let rfqs: BTreeSet<String> = events
            .iter()
            .filter_map(|event| event.kind.rfq().map(RfqId::normalized))
            .collect();
        let quotes: BTreeSet<&QuoteId> = events.iter().filter_map(|event| event.kind.quote()).collect();
        Self {
            kind: events
                .iter()
                .map(|event| SubjectKind::of_event(&event.kind))
                .min()
                .unwrap_or_default(),
            event_id: None,
            trip: events.first().map(|event| event.trip.to_string()),
            rfqs: rfqs.into_iter().take(MAX_IDS).collect(),
            quotes: quotes.into_iter().take(MAX_IDS).map(QuoteId::to_string).collect(),
        }
    }
}
