//! A quote and an RFQ as known from facts: the newest fact wins, in whatever order facts arrive.

use chrono::{DateTime, Utc};

use super::event::{FactSource, FactVersion, Money, QuoteDetails};
use super::newest_fact::NewestFact;
use super::quote_history::QuoteHistory;
use super::quote_history::observation::ChangeTime;
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
    /// The declines that named the quote.
    pub decline: DeclineFact,
    /// The buyer accepted the quote.
    pub accepted: Option<QuoteAcceptance>,
}

/// The buyer's acceptance of a quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuoteAcceptance {
    /// The earliest of the sender's own times; `None` if no event had one.
    pub at: Option<DateTime<Utc>>,
}

impl QuoteAcceptance {
    /// Adds an acceptance of the same quote. Commutative, associative and idempotent.
    pub fn record(known: &mut Option<Self>, other: Self) {
        let at = known.and_then(|known| known.at).into_iter().chain(other.at).min();
        *known = Some(Self { at });
    }
}

/// A received quote, derived from its history.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedQuote {
    pub details: QuoteDetails,
    /// The version of the newest statement about the quote.
    pub version: FactVersion,
    /// The earliest time of any fact about the quote, for the policy `first`.
    pub first_fact_at: DateTime<Utc>,
    /// The last change, for the policy `latest` and for comparison with declines. It is the newest statement's time, unless
    /// documents without a time of their own repeated what was known.
    pub changed: ChangeTime,
}

/// A seller's decline of an RFQ or a quote, with the reason as sent.
pub type DeclineFact = NewestFact<Option<String>>;

/// Everything known about one RFQ of one trip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rfq {
    /// It was sent to a seller; only sent RFQs count as operators contacted.
    pub sent: bool,
    /// The earliest time at which it is known to be cancelled. A cancellation is final.
    pub cancelled_at: Option<DateTime<Utc>>,
    pub decline: DeclineFact,
}

/// The effect of recording a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactChange {
    /// The quote or the decline was not known before.
    Created,
    /// The fact changes what is known.
    Updated,
    /// The fact is known or older than what is known, or changes nothing that people would call a change.
    Unchanged,
    /// The fact is about a quote that has not been received.
    Pending,
}

impl QuoteFacts {
    pub fn new(history: &QuoteHistory, decline: DeclineFact, accepted: Option<QuoteAcceptance>) -> Self {
        let mut quote = Self {
            history: QuoteHistory::default(),
            stated: StatedValues::default(),
            received: None,
            decline,
            accepted,
        };
        quote.merge_history(history);
        quote
    }

    /// Records a statement about the quote, from this source.
    pub fn record(&mut self, statement: &QuoteHistory, source: FactSource) -> FactChange {
        let before = self.received.clone();
        self.merge_history(statement);
        match (before, &self.received) {
            (_, None) => FactChange::Pending,
            (None, Some(_)) => FactChange::Created,
            (Some(before), Some(after)) if is_visible_change(&before.details, &after.details, source) => {
                FactChange::Updated
            }
            (Some(_), Some(_)) => FactChange::Unchanged,
        }
    }

    /// Adds a history of the same quote. Commutative, associative and idempotent.
    pub fn merge_history(&mut self, history: &QuoteHistory) {
        self.history.merge(history);
        self.stated.add_history(history);
        let history = &self.history;
        self.received = history.details().and_then(|details| {
            let version = history.version()?;
            Some(ReceivedQuote {
                // A history of an older schema may have no first time.
                first_fact_at: history.first_fact_at.unwrap_or_else(|| version.moment()),
                version,
                changed: history.changed_at(details.price.as_ref())?,
                details,
            })
        });
    }

    /// Adds everything that another trip knows about the same quote.
    pub fn merge(&mut self, other: &Self) {
        let Self {
            history,
            stated,
            received: _, // derived from the history
            decline,
            accepted,
        } = other;
        self.merge_history(history);
        self.stated.merge(stated);
        if let Some(accepted) = accepted {
            QuoteAcceptance::record(&mut self.accepted, *accepted);
        }
        self.decline.merge(decline);
    }
}

impl Rfq {
    /// Adds everything that another trip knows about the same RFQ.
    pub fn merge(&mut self, other: &Self) {
        let Self {
            sent,
            cancelled_at,
            decline,
        } = other;
        self.sent |= sent;
        self.record_cancellation(*cancelled_at);
        self.decline.merge(decline);
    }

    /// Adds the time of a cancellation of the same RFQ. Commutative, associative and idempotent.
    pub fn record_cancellation(&mut self, at: Option<DateTime<Utc>>) {
        self.cancelled_at = self.cancelled_at.into_iter().chain(at).min();
    }
}

/// Compares what people see of a quote. Documents show a quote in parts, so learning more about its aircraft, operator or RFQ
/// is no change of the quote.
fn is_visible_change(before: &QuoteDetails, after: &QuoteDetails, source: FactSource) -> bool {
    fn offer(details: &QuoteDetails) -> (Option<&Money>, Option<&String>, Option<DateTime<Utc>>) {
        let QuoteDetails {
            quote: _,
            rfq: _,
            price,
            unread_price,
            operator: _,
            aircraft_type: _,
            aircraft_tail: _,
            valid_until,
            created_at: _,
            description: _,
        } = details;
        let unread_price = unread_price.as_ref().filter(|_| price.is_none());
        (price.as_ref(), unread_price, *valid_until)
    }
    match source {
        FactSource::Event => before != after,
        FactSource::Document => offer(before) != offer(after),
    }
}
