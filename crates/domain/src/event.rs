//! Events: facts about a trip, independent of the format in which they arrived.
//!
//! [`super::decide`] decides how facts change a session.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use super::ids::{MessageId, QuoteId, RfqId, TripId};

/// A fact about a trip.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub trip: TripId,
    /// The sender's own time: a full event's `timestamp`, or a document's update or creation time. It counts as activity and
    /// decides which quote was the first; `version` orders facts about the same thing.
    pub at: Option<DateTime<Utc>>,
    pub version: FactVersion,
    pub kind: EventKind,
}

#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// A seller made or changed a quote.
    QuoteReceived(QuoteDetails),
    /// A document described a quote and did not say if its seller made it. For a received quote this is an update; for any
    /// other quote it is pending until the quote is received.
    QuoteObserved(QuoteDetails),
    /// A received quote was still valid at the time of this fact's version: its RFQ shows it as the seller's answer.
    QuoteReaffirmed { quote: QuoteId, rfq: Option<RfqId> },
    /// A document says something about the maker of a quote.
    QuoteOrigin {
        quote: QuoteId,
        rfq: Option<RfqId>,
        origin: QuoteOrigin,
    },
    /// A seller declined an RFQ, or one quote of it.
    RfqDeclined {
        rfq: Option<RfqId>,
        quote: Option<QuoteId>,
        /// The reason as sent, for example `AIRCRAFT_NOT_AVAILABLE`.
        reason: Option<String>,
        operator: Party,
    },
    /// A chat message.
    MessageReceived {
        /// A message without an id gets one derived from its content's digest.
        message: MessageId,
        sender: Party,
        rfq: Option<RfqId>,
        /// The printable text, cut to a few thousand characters.
        text: Option<String>,
    },
    /// The buyer accepted a quote.
    QuoteAccepted { quote: QuoteId, rfq: Option<RfqId> },
    /// An RFQ was sent to a seller.
    TripRequested { rfq: RfqId },
    /// The buyer cancelled an RFQ. Others of its trip may go on.
    RfqCancelled { rfq: RfqId },
    /// The trip was updated, cancelled or expired. `rfq`: named beside the trip.
    TripChanged { rfq: Option<RfqId>, status: TripStatus },
}

impl EventKind {
    /// The RFQ that the event names.
    pub fn rfq(&self) -> Option<&RfqId> {
        match self {
            Self::QuoteReceived(details) | Self::QuoteObserved(details) => details.rfq.as_ref(),
            Self::TripRequested { rfq } | Self::RfqCancelled { rfq } => Some(rfq),
            Self::QuoteReaffirmed { rfq, .. }
            | Self::QuoteOrigin { rfq, .. }
            | Self::RfqDeclined { rfq, .. }
            | Self::MessageReceived { rfq, .. }
            | Self::QuoteAccepted { rfq, .. }
            | Self::TripChanged { rfq, .. } => rfq.as_ref(),
        }
    }

    /// The quote that the event names.
    pub fn quote(&self) -> Option<&QuoteId> {
        match self {
            Self::QuoteReceived(details) | Self::QuoteObserved(details) => Some(&details.quote),
            Self::QuoteReaffirmed { quote, .. }
            | Self::QuoteOrigin { quote, .. }
            | Self::QuoteAccepted { quote, .. } => Some(quote),
            Self::RfqDeclined { quote, .. } => quote.as_ref(),
            Self::MessageReceived { .. }
            | Self::TripRequested { .. }
            | Self::RfqCancelled { .. }
            | Self::TripChanged { .. } => None,
        }
    }
}

/// The evidence of a document about the maker of a quote. A lift links the quotes that Avinode generated as well as those that
/// its seller made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum QuoteOrigin {
    /// An accepted lift links the quote, and does not say which of its quotes the seller made.
    AcceptedLift,
    /// The quote's own document does not say that Avinode generated it.
    NotGenerated,
    /// Avinode generated it (`avinodeGenerated`).
    Generated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum TripStatus {
    /// Changed by the buyer.
    Updated,
    Cancelled,
    /// Ran out of time.
    Expired,
}

impl TripStatus {
    /// The stored and displayed word.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// The content of one statement about a quote. A missing part is `None`, never a guess.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct QuoteDetails {
    pub quote: QuoteId,
    /// The RFQ that the quote answers.
    pub rfq: Option<RfqId>,
    /// `None` also for a price of zero or below.
    pub price: Option<Money>,
    /// A price that was sent and not understood, as property and value; `None` if there is a price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread_price: Option<String>,
    pub operator: Party,
    /// Aircraft type or model, for example `Light Jet`.
    pub aircraft_type: Option<String>,
    pub aircraft_tail: Option<String>,
    /// The quote cannot be selected after this time.
    pub valid_until: Option<DateTime<Utc>>,
    /// The creation time that the quote itself states. A quote id can be used again for a newer quote.
    #[serde(default)]
    pub created_at: Option<DateTime<Utc>>,
    #[serde(default, skip_serializing_if = "QuoteDescription::is_empty")]
    pub description: QuoteDescription,
}

/// The parts of a quote that are displayed and have no effect on a session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuoteDescription {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aircraft_model: Option<String>,
    /// Number of passengers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aircraft_capacity: Option<i32>,
    /// As the sender wrote it: it may be a local time without a zone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub departure_time: Option<String>,
    /// As the sender wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrival_time: Option<String>,
    /// The seller's message to the buyer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The person at the operator, if the sender names both the person and the company.
    #[serde(skip_serializing_if = "Party::is_empty")]
    pub contact: Party,
}

impl QuoteDescription {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A seller or buyer; any part may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Company id, or the person's id where the company has none.
    pub id: Option<String>,
    pub name: Option<String>,
}

impl Party {
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An amount above zero in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// Decimal amount, exact.
    pub amount: Decimal,
    /// ISO 4217 code in upper case, for example `USD`.
    pub currency: String,
}

/// The order of facts about the same subject: their time, then their source, then the time at which they were first received,
/// then their content.
///
/// The digest only breaks ties, so that every order of arrival ends in the same state. The statements about a quote have an
/// order of their own ([`QuoteHistory`](super::quote_history::QuoteHistory)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactVersion {
    /// The sender's own time: an event's timestamp, or the time at which a document was written or updated; in whole
    /// microseconds, as Postgres stores it. Never clamped: a sender's clock that runs ahead orders as written.
    pub at: Option<DateTime<Utc>>,
    /// The time at which the first delivery of an event was received, or the GET of a document began.
    pub seen_at: DateTime<Utc>,
    pub source: FactSource,
    /// SHA-256 of the content from which the fact was read.
    #[serde(with = "hex::serde")]
    pub digest: [u8; 32],
}

impl FactVersion {
    /// The sender's own time, else the time at which the fact was seen.
    pub fn moment(&self) -> DateTime<Utc> {
        self.at.unwrap_or(self.seen_at)
    }

    /// Adds the time at which the same fact was seen again: an event counts from its first delivery, a document as of its last
    /// GET.
    pub fn merge_repetition(&mut self, other: &Self) {
        self.seen_at = match self.source {
            FactSource::Event => self.seen_at.min(other.seen_at),
            FactSource::Document => self.seen_at.max(other.seen_at),
        };
    }

    /// Without the time of the GET, if the document is dated: such a fact is the same in each GET.
    pub fn without_repetition(mut self) -> Self {
        if let (FactSource::Document, Some(at)) = (self.source, self.at) {
            self.seen_at = at;
        }
        self
    }

    /// The lowest version that the fact can have once all of its deliveries are known.
    pub fn earliest(&self) -> Self {
        let mut earliest = self.clone();
        if self.source == FactSource::Event {
            earliest.seen_at = DateTime::<Utc>::MIN_UTC;
            earliest.digest = [0; 32];
        }
        earliest
    }

    fn order(&self) -> (DateTime<Utc>, FactSource, DateTime<Utc>, [u8; 32]) {
        (self.moment(), self.source, self.seen_at, self.digest)
    }
}

impl PartialOrd for FactVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FactVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        // The last part only makes facts equal that are equal: an absent time may be the time at which another was sent.
        self.order().cmp(&other.order()).then(self.at.cmp(&other.at))
    }
}

/// The origin of a fact, by its number in the database; a higher one ranks higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FactSource {
    /// A full event.
    Event = 0,
    /// A fetched document.
    Document = 1,
}
