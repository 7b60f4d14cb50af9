//! What is known of one trip, and what an event adds to it.
//!
//! Sessions are never asked here: facts are kept by trip, so that a quote that comes before its session is not lost.

mod apply_event;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::event::{FactSource, FactVersion, QuoteDetails, TripStatus};
use super::ids::{MessageId, QuoteId, RfqId};
use super::quote::{QuoteFacts, Rfq, learn_decline};

/// What is known of one trip.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TripFacts {
    /// The newest thing that happened to the trip itself.
    pub status: Option<TripStatusFact>,
    /// The latest activity of a seller or a chat partner: the greatest of least(event time, time received).
    pub last_activity_at: Option<DateTime<Utc>>,
    /// By quote id.
    pub quotes: BTreeMap<QuoteId, QuoteFacts>,
    /// By RFQ id.
    pub requests: BTreeMap<RfqId, Rfq>,
    /// Messages known, as far as they were asked for.
    pub messages: BTreeSet<MessageId>,
}

/// A trip's newest status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TripStatusFact {
    /// Updated, cancelled or expired.
    pub status: TripStatus,
    /// What it is ordered by.
    pub version: FactVersion,
    /// The earliest time by which any document showed a status. One that is fetched again says again that a trip was
    /// cancelled; that moves the version, and is no news.
    pub seen_at: Option<DateTime<Utc>>,
}

/// Something worth a line in the timelines of the trip's sessions.
#[derive(Debug, Clone, PartialEq)]
pub struct TimelineEvent {
    /// The kind, one of the words of the timeline: `quote_received`, `quote_changed`, `rfq_declined` and so on.
    pub kind: &'static str,
    /// What makes it one of a kind in a session: the same cause is written once, however often it is applied.
    pub cause: String,
    /// When it happened, by the sender's clock.
    pub at: Option<DateTime<Utc>>,
    /// More, for people: prices, names, reasons.
    pub detail: Value,
}

impl TimelineEvent {
    /// A quote that a session counts, with the same cause whether it is counted on arrival or on a later match.
    pub fn quote_received(quote: &str, at: Option<DateTime<Utc>>, detail: Value) -> Self {
        Self {
            kind: "quote_received",
            cause: format!("received/{quote}"),
            at,
            detail,
        }
    }
}

/// The way in which something came to be known, which tells by when it had happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// Somebody told us, then: that is activity, stamp or no stamp.
    Notified(DateTime<Utc>),
    /// Nobody did; we asked by ourselves, with a GET that began then. Only what bears a stamp is activity.
    Polled(DateTime<Utc>),
}

/// Which parts of a trip learning changed, so that only those are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChangedFacts {
    /// Status or last activity.
    pub trip: bool,
    /// Quotes.
    pub quotes: BTreeSet<QuoteId>,
    /// RFQs.
    pub requests: BTreeSet<RfqId>,
    /// New messages.
    pub messages: BTreeSet<MessageId>,
}

impl TripFacts {
    /// Returns the expiry of a quote that was valid until `valid_until`. None if that moment lies ahead, or if a newer fact
    /// gave the quote another one: the order of the facts would otherwise show in the timeline.
    pub fn expire(&self, quote: &QuoteId, valid_until: DateTime<Utc>, now: DateTime<Utc>) -> Option<TimelineEvent> {
        let current = self.quotes.get(quote)?.fact.as_ref()?.details.valid_until;
        (current == Some(valid_until) && valid_until <= now).then(|| TimelineEvent {
            kind: "quote_expired",
            cause: format!("expired/{quote}/{}", valid_until.timestamp_micros()),
            at: Some(valid_until),
            detail: json!({"quote": quote}),
        })
    }

    /// The quotes that were received, which is what a session counts.
    pub fn received(&self) -> impl Iterator<Item = (&QuoteId, &super::quote::ReceivedQuote)> {
        self.quotes
            .iter()
            .filter_map(|(id, quote)| quote.fact.as_ref().map(|fact| (id, fact)))
    }

    /// This trip and others that turn out to be the same, as one.
    pub fn with<'a>(&self, others: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut whole = self.clone();
        for other in others {
            if let Some(status) = &other.status {
                whole.take_status(status);
            }
            whole.last_activity_at = whole.last_activity_at.max(other.last_activity_at);
            for (id, quote) in &other.quotes {
                let known = whole.quotes.entry(id.clone()).or_default();
                known.take(&quote.said);
                if let Some(decline) = &quote.declined {
                    learn_decline(&mut known.declined, decline);
                }
            }
            for (id, request) in &other.requests {
                let known = whole.requests.entry(id.clone()).or_default();
                known.requested |= request.requested;
                if let Some(decline) = &request.declined {
                    learn_decline(&mut known.declined, decline);
                }
            }
            whole.messages.extend(other.messages.iter().cloned());
        }
        whole
    }

    /// The newest status with the time that people are told: of one that documents show, when it was first seen.
    pub fn shown_status(&self) -> Option<TripStatusFact> {
        let mut status = self.status.clone()?;
        if status.version.source == FactSource::Document {
            status.version.at = status.seen_at.or(status.version.at);
        }
        Some(status)
    }

    /// How many distinct RFQs were sent out.
    pub fn requested(&self) -> usize {
        self.requests.values().filter(|request| request.requested).count()
    }

    /// Whether sellers have been asked: an RFQ went out, or an answer came back.
    pub fn has_requests(&self) -> bool {
        self.received().next().is_some()
            || self.quotes.values().any(|quote| quote.declined.is_some())
            || self
                .requests
                .values()
                .any(|request| request.requested || request.declined.is_some())
    }

    /// Commutative, associative and idempotent: the newest stays, and the earliest time.
    fn take_status(&mut self, status: &TripStatusFact) {
        let Some(known) = &mut self.status else {
            self.status = Some(status.clone());
            return;
        };
        let seen_at = known.seen_at.into_iter().chain(status.seen_at).min();
        if known.version < status.version {
            known.clone_from(status);
        }
        known.seen_at = seen_at;
    }
}

/// A quote for people.
pub fn quote_detail(details: &QuoteDetails) -> Value {
    json!({
        "quote": details.quote,
        "rfq": details.request,
        "operator": details.operator.name,
        "price": details.price.as_ref().map(|price| price.amount.to_string()),
        "currency": details.price.as_ref().map(|price| price.currency.clone()),
    })
}
