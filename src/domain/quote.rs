//! A quote and an RFQ as facts say they are: the newest fact wins, in whatever order facts arrive.

use chrono::{DateTime, Utc};

use super::event::{FactSource, FactVersion, QuoteDetails};
use super::quote_history::QuoteHistory;

/// What is known of one quote of one trip.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QuoteFacts {
    /// All that was said of it.
    pub said: QuoteHistory,
    /// The quote as that makes it. `None`: it was not *received* so far; a decline has named it, or a document described it.
    pub fact: Option<ReceivedQuote>,
    /// The newest decline that named it.
    pub declined: Option<DeclineFact>,
}

/// A received quote, as all that was said of it makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedQuote {
    /// What it is.
    pub details: QuoteDetails,
    /// The highest version of what was said.
    pub version: FactVersion,
    /// The earliest time of any fact about the quote, for the policy `first`. `None`, the lowest, when one had none.
    pub first_fact_at: Option<DateTime<Utc>>,
    /// When it last changed, for the policy `latest` and against declines; `None` is the lowest. That of its version, except
    /// where documents without a stamp say again what was known.
    pub news_at: Option<DateTime<Utc>>,
}

/// A seller's "no".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclineFact {
    /// What it is ordered by.
    pub version: FactVersion,
    /// The reason as sent.
    pub reason: Option<String>,
}

/// What is known of one RFQ of one trip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rfq {
    /// It was sent to a seller; only these are counted as operators contacted.
    pub requested: bool,
    /// The newest decline.
    pub declined: Option<DeclineFact>,
}

/// What learning a fact changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactChange {
    /// The thing was not known before.
    New,
    /// It was known, and this fact is newer.
    Newer,
    /// It was known, and this fact is newer, but says nothing that people would call a change.
    Again,
    /// It was known, and this fact is older; it may have filled a gap, or moved the earliest time.
    Older,
    /// This very fact was known.
    Known,
    /// It is of a quote that was not received, as far as is known.
    Waits,
}

impl QuoteFacts {
    /// A quote of which this was said.
    pub fn of(said: &QuoteHistory, declined: Option<DeclineFact>) -> Self {
        let mut quote = Self {
            said: QuoteHistory::default(),
            fact: None,
            declined,
        };
        quote.take(said);
        quote
    }

    /// Takes a fact in, with the sender's stamp.
    pub fn learn(&mut self, details: QuoteDetails, version: &FactVersion, at: Option<DateTime<Utc>>) -> FactChange {
        self.hear(&QuoteHistory::once(details, version.clone(), at), version)
    }

    /// Takes in what it is, which says nothing of whether it was received.
    pub fn describe(&mut self, details: QuoteDetails, version: &FactVersion, at: Option<DateTime<Utc>>) -> FactChange {
        self.hear(&QuoteHistory::described(details, version.clone(), at), version)
    }

    fn hear(&mut self, said: &QuoteHistory, version: &FactVersion) -> FactChange {
        let before = self.fact.clone();
        self.take(said);
        let Some(now) = &self.fact else {
            return FactChange::Waits;
        };
        let Some(before) = before else {
            return FactChange::New;
        };
        match version.cmp(&before.version) {
            std::cmp::Ordering::Less => FactChange::Older,
            std::cmp::Ordering::Equal => FactChange::Known,
            std::cmp::Ordering::Greater if is_change(&before.details, &now.details, version.source) => {
                FactChange::Newer
            }
            std::cmp::Ordering::Greater => FactChange::Again,
        }
    }

    /// Takes in what is known of it elsewhere. Commutative, associative and idempotent.
    pub fn take(&mut self, said: &QuoteHistory) {
        self.said.take(said);
        self.fact = self
            .said
            .details()
            .zip(self.said.version())
            .map(|(details, version)| ReceivedQuote {
                version: version.clone(),
                first_fact_at: self.said.first_at(),
                news_at: self.said.news_at(details.price.as_ref()),
                details,
            });
    }
}

/// Whether a quote is another one now. Documents tell of it piece by piece: that more is known of the aircraft by now is no
/// change of the quote.
fn is_change(before: &QuoteDetails, now: &QuoteDetails, source: FactSource) -> bool {
    match source {
        FactSource::Event => before != now,
        FactSource::Document => (&before.price, before.valid_until) != (&now.price, now.valid_until),
    }
}

/// Takes a decline in: the newest stays.
pub fn learn_decline(known: &mut Option<DeclineFact>, decline: &DeclineFact) -> FactChange {
    match known {
        None => {
            *known = Some(decline.clone());
            FactChange::New
        }
        Some(old) => match decline.version.cmp(&old.version) {
            std::cmp::Ordering::Less => FactChange::Older,
            std::cmp::Ordering::Equal => FactChange::Known,
            std::cmp::Ordering::Greater => {
                *old = decline.clone();
                FactChange::Newer
            }
        },
    }
}
