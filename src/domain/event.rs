//! Events: facts about a trip, freed of the format they came in.
//!
//! What an event does to a session is decided in [`super::decide`]; here is only what was said, by when.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::ids::{MessageId, QuoteId, RfqId, TripId};

/// A fact about a trip.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The trip it is about.
    pub trip: TripId,
    /// When it happened, by the sender's own stamp: a full event's `timestamp`, a document's update or creation stamp.
    /// Tells activity and which quote was first; what orders facts about the same thing is the version.
    pub at: Option<DateTime<Utc>>,
    /// Its version: orders it among other facts about the same thing.
    pub version: FactVersion,
    /// What happened.
    pub what: EventKind,
}

/// What an event says happened.
#[derive(Debug, Clone, PartialEq)]
pub enum EventKind {
    /// A seller quoted, or changed a quote.
    QuoteReceived(QuoteDetails),
    /// What a quote is, by a document that does not say whether its seller made it: of one that was received this is news, and
    /// of another one it waits until it is.
    QuoteObserved(QuoteDetails),
    /// A quote that was received stood at the time of this fact's version: its RFQ shows it as the seller's answer.
    QuoteReaffirmed {
        /// The quote.
        quote: QuoteId,
        /// The RFQ.
        request: Option<RfqId>,
    },
    /// A seller declined an RFQ; a quote is named where one was given.
    RfqDeclined {
        /// The RFQ, where one was named.
        request: Option<RfqId>,
        /// The quote, where one was named.
        quote: Option<QuoteId>,
        /// The reason as sent, for example `AIRCRAFT_NOT_AVAILABLE`.
        reason: Option<String>,
        /// Who declined.
        operator: Party,
    },
    /// A chat message.
    MessageReceived {
        /// The message; one without an id gets one made of its content's digest.
        message: MessageId,
        /// Who wrote it.
        sender: Party,
        /// The RFQ that it is about, where one was named.
        request: Option<RfqId>,
    },
    /// An RFQ was sent to a seller.
    TripRequested {
        /// The RFQ.
        request: RfqId,
    },
    /// The trip was updated, cancelled or expired.
    TripChanged {
        /// The RFQ it came with, where one was named.
        request: Option<RfqId>,
        /// What it is now.
        status: TripStatus,
    },
}

impl EventKind {
    /// The RFQ that it names.
    pub fn request(&self) -> Option<&RfqId> {
        match self {
            Self::QuoteReceived(details) | Self::QuoteObserved(details) => details.request.as_ref(),
            Self::TripRequested { request } => Some(request),
            Self::QuoteReaffirmed { request, .. }
            | Self::RfqDeclined { request, .. }
            | Self::MessageReceived { request, .. }
            | Self::TripChanged { request, .. } => request.as_ref(),
        }
    }
}

/// What became of a trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TripStatus {
    /// Changed by the buyer.
    Updated,
    /// Called off.
    Cancelled,
    /// Ran out of time.
    Expired,
}

impl TripStatus {
    /// The word that is stored and shown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Updated => "updated",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The status of a stored word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Updated, Self::Cancelled, Self::Expired]
            .into_iter()
            .find(|status| status.as_str() == word)
    }
}

/// What one fact says of a quote. Missing parts are missing, never guessed.
#[derive(Debug, Clone, PartialEq)]
pub struct QuoteDetails {
    /// The quote.
    pub quote: QuoteId,
    /// The RFQ it answers.
    pub request: Option<RfqId>,
    /// Its price, when one above zero was given.
    pub price: Option<Money>,
    /// Who quoted.
    pub operator: Party,
    /// Aircraft type or model, for example `Light Jet`.
    pub aircraft_type: Option<String>,
    /// Tail number.
    pub aircraft_tail: Option<String>,
    /// Until when it stands; not electable afterwards.
    pub valid_until: Option<DateTime<Utc>>,
}

/// A seller, or the sender of a message; any part may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// Company id, or the person's id where the company has none.
    pub id: Option<String>,
    /// Name to show.
    pub name: Option<String>,
}

/// An amount above zero in one currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Money {
    /// Decimal amount, exact.
    pub amount: Decimal,
    /// ISO 4217 code in upper case, for example `USD`.
    pub currency: String,
}

/// How facts about the same thing are ordered: its own time, then where it came from, then its content.
///
/// The digest only breaks ties so that every order of arrival ends alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FactVersion {
    /// The event's timestamp, or a document's update stamp and else the moment its GET began; in whole microseconds as
    /// Postgres keeps it. `None`, the lowest, when an event had none. Never clamped: a clock that runs ahead orders as it
    /// says.
    pub at: Option<DateTime<Utc>>,
    /// What kind of source said it.
    pub source: FactSource,
    /// SHA-256 of the content that the fact was read from.
    pub digest: [u8; 32],
}

/// Where a fact came from; later ones rank higher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FactSource {
    /// A full event.
    Event,
    /// A document that was fetched.
    Document,
}
