//! A quote and an RFQ as known from facts: the newest fact wins, in whatever order facts arrive.

use std::cmp::Ordering;

use chrono::{DateTime, Utc};

use super::event::{FactSource, FactVersion, Money, QuoteDetails};
use super::quote_history::QuoteHistory;
use super::stated_values::StatedValues;

/// Everything known about one quote of one trip.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QuoteFacts {
    pub history: QuoteHistory,
    /// The values of all statements, also of those that the history dropped.
    pub stated: StatedValues,
    /// The quote that the history adds up to. `None` while it has not been received: so far only a decline or a document
    /// named it.
    pub received: Option<ReceivedQuote>,
    /// The newest decline that named the quote.
    pub decline: Option<DeclineFact>,
}

/// A received quote, derived from its history.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedQuote {
    pub details: QuoteDetails,
    /// The highest version of any statement about the quote.
    pub version: FactVersion,
    /// The earliest time of any fact about the quote, for the policy `first`. `None`, the lowest, when a fact had none.
    pub first_fact_at: Option<DateTime<Utc>>,
    /// The time of the last change, for the policy `latest` and for comparison with declines; `None` is the lowest. It is the
    /// version's time, unless documents without an update time repeated what was known.
    pub changed_at: Option<DateTime<Utc>>,
}

/// A seller's decline of an RFQ or a quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclineFact {
    pub version: FactVersion,
    /// The reason as sent.
    pub reason: Option<String>,
}

/// Everything known about one RFQ of one trip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rfq {
    /// It was sent to a seller; only sent RFQs count as operators contacted.
    pub sent: bool,
    /// The newest decline.
    pub decline: Option<DeclineFact>,
}

/// The effect of recording a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactChange {
    /// The thing was not known before.
    Created,
    /// The fact is newer than what was known, and changes it.
    Updated,
    /// The fact is newer than what was known, and changes nothing that people would call a change.
    Reaffirmed,
    /// The fact is older than what was known; it may still fill a gap or move the earliest time.
    Stale,
    /// Exactly this fact was known.
    Duplicate,
    /// The fact is about a quote that has not been received.
    Pending,
}

impl QuoteFacts {
    pub fn new(history: &QuoteHistory, decline: Option<DeclineFact>) -> Self {
        let mut quote = Self {
            history: QuoteHistory::default(),
            stated: StatedValues::default(),
            received: None,
            decline,
        };
        quote.merge_history(history);
        quote
    }

    /// Records a statement about the quote, of this version.
    pub fn record(&mut self, statement: &QuoteHistory, version: &FactVersion) -> FactChange {
        let before = self.received.clone();
        self.merge_history(statement);
        let Some(after) = &self.received else {
            return FactChange::Pending;
        };
        let Some(before) = before else {
            return FactChange::Created;
        };
        match version.cmp(&before.version) {
            Ordering::Less => FactChange::Stale,
            Ordering::Equal => FactChange::Duplicate,
            Ordering::Greater if is_visible_change(&before.details, &after.details, version.source) => {
                FactChange::Updated
            }
            Ordering::Greater => FactChange::Reaffirmed,
        }
    }

    /// Adds a history of the same quote. Commutative, associative and idempotent.
    pub fn merge_history(&mut self, history: &QuoteHistory) {
        self.history.merge(history);
        self.stated.add_history(history);
        self.received = self
            .history
            .details()
            .zip(self.history.version())
            .map(|(details, version)| ReceivedQuote {
                version: version.clone(),
                first_fact_at: self.history.first_fact_at(),
                changed_at: self.history.changed_at(details.price.as_ref()),
                details,
            });
    }

    /// Adds everything that another trip knows about the same quote.
    pub fn merge(&mut self, other: &Self) {
        let Self {
            history,
            stated,
            received: _, // derived from the history
            decline,
        } = other;
        self.merge_history(history);
        self.stated.merge(stated);
        if let Some(decline) = decline {
            record_decline(&mut self.decline, decline);
        }
    }
}

impl Rfq {
    /// Adds everything that another trip knows about the same RFQ.
    pub fn merge(&mut self, other: &Self) {
        let Self { sent, decline } = other;
        self.sent |= sent;
        if let Some(decline) = decline {
            record_decline(&mut self.decline, decline);
        }
    }
}

/// Compares what people see of a quote. Documents show a quote in parts, so learning more about its aircraft, operator or RFQ
/// is no change of the quote.
fn is_visible_change(before: &QuoteDetails, after: &QuoteDetails, source: FactSource) -> bool {
    fn offer(details: &QuoteDetails) -> (Option<&Money>, Option<DateTime<Utc>>) {
        let QuoteDetails {
            quote: _,
            rfq: _,
            price,
            operator: _,
            aircraft_type: _,
            aircraft_tail: _,
            valid_until,
            description: _,
        } = details;
        (price.as_ref(), *valid_until)
    }
    match source {
        FactSource::Event => before != after,
        FactSource::Document => offer(before) != offer(after),
    }
}

/// Records a decline; the newest is kept.
pub fn record_decline(known: &mut Option<DeclineFact>, decline: &DeclineFact) -> FactChange {
    match known {
        None => {
            *known = Some(decline.clone());
            FactChange::Created
        }
        Some(old) => match decline.version.cmp(&old.version) {
            Ordering::Less => FactChange::Stale,
            Ordering::Equal => FactChange::Duplicate,
            Ordering::Greater => {
                *old = decline.clone();
                FactChange::Updated
            }
        },
    }
}
