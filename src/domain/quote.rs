//! A quote and an RFQ as facts say they are: the newest fact wins, in whatever order facts arrive.

use chrono::{DateTime, Utc};

use super::event::{QuoteDetails, Version};

/// What is known of one quote of one trip.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Quote {
    /// The newest fact. `None`: only a decline has named it so far, so it was not *received*.
    pub fact: Option<Fact>,
    /// The newest decline that named it.
    pub declined: Option<Decline>,
}

/// The newest fact about a received quote.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// What it says.
    pub details: QuoteDetails,
    /// What it is ordered by.
    pub version: Version,
    /// The earliest time of any fact about the quote, for the policy `first`. `None`, the lowest, when one had none.
    pub first_fact_at: Option<DateTime<Utc>>,
}

/// A seller's "no".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decline {
    /// What it is ordered by.
    pub version: Version,
    /// The reason as sent.
    pub reason: Option<String>,
}

/// What is known of one RFQ of one trip.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// It was sent to a seller; only these are counted as operators contacted.
    pub requested: bool,
    /// The newest decline.
    pub declined: Option<Decline>,
}

/// What learning a fact changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learned {
    /// The thing was not known before.
    New,
    /// It was known, and this fact is newer.
    Newer,
    /// It was known, and this fact is older; only the earliest time may have moved.
    Older,
    /// This very fact was known.
    Known,
}

impl Quote {
    /// Takes a fact in. Commutative, associative and idempotent: only the highest version and the lowest time stay.
    pub fn learn(&mut self, details: QuoteDetails, version: Version) -> Learned {
        let at = version.at;
        let Some(known) = &mut self.fact else {
            self.fact = Some(Fact {
                details,
                version,
                first_fact_at: at,
            });
            return Learned::New;
        };
        known.first_fact_at = known.first_fact_at.min(at);
        match version.cmp(&known.version) {
            std::cmp::Ordering::Less => Learned::Older,
            std::cmp::Ordering::Equal => Learned::Known,
            std::cmp::Ordering::Greater => {
                known.details = details;
                known.version = version;
                Learned::Newer
            }
        }
    }
}

impl Quote {
    /// Takes in what is known of it elsewhere: the newest fact, and the earliest time.
    pub fn take(&mut self, fact: &Fact) {
        let first = self
            .fact
            .as_ref()
            .map_or(fact.first_fact_at, |known| known.first_fact_at.min(fact.first_fact_at));
        if self.fact.as_ref().is_none_or(|known| known.version < fact.version) {
            self.fact = Some(fact.clone());
        }
        if let Some(known) = &mut self.fact {
            known.first_fact_at = first;
        }
    }
}

/// Takes a decline in: the newest stays.
pub fn learn_decline(known: &mut Option<Decline>, decline: &Decline) -> Learned {
    match known {
        None => {
            *known = Some(decline.clone());
            Learned::New
        }
        Some(old) => match decline.version.cmp(&old.version) {
            std::cmp::Ordering::Less => Learned::Older,
            std::cmp::Ordering::Equal => Learned::Known,
            std::cmp::Ordering::Greater => {
                *old = decline.clone();
                Learned::Newer
            }
        },
    }
}
