//! The observations of one quote: the newest event, and each distinct statement of a document with the first and last time it
//! was read. Everything else about the quote is derived from them, so every order of arrival ends in the same state.
//!
//! An event is complete. A document shows what its kind of resource holds (an RFQ the aircraft, a message the price) and
//! repeats it whenever it is fetched. So a gap in one document is filled from another, and a repetition is no change.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::event::{FactSource, FactVersion, Money, Party, QuoteDescription, QuoteDetails};

/// The most distinct document observations kept of one quote; the oldest are dropped.
const MAX_DOCUMENT_OBSERVATIONS: usize = 64;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct QuoteHistory {
    /// The seller made the quote: an event or a document says so. Until then it may be a price that Avinode generated, and
    /// its observations are kept without effect.
    pub received: bool,
    /// The newest event.
    pub event: Option<Observation>,
    /// The distinct statements of documents, the newest first.
    pub documents: Vec<Observation>,
    /// The earliest time at which the quote is known to have been valid.
    pub first_reaffirmed_at: Option<DateTime<Utc>>,
    /// The latest time at which the quote is known to have been valid.
    pub last_reaffirmed_at: Option<DateTime<Utc>>,
}

/// One distinct statement about a quote, read once or repeatedly.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    pub details: QuoteDetails,
    /// The earliest of the sender's own times, or of the versions' times where the sender gave none. `None` is the lowest.
    pub earliest_at: Option<DateTime<Utc>>,
    /// The time of the lowest version; an event has only one.
    pub first_version_at: Option<DateTime<Utc>>,
    /// The highest version.
    pub latest_version: FactVersion,
    /// The versions' times are the sender's own. Otherwise they are the times at which a GET began.
    pub has_sender_time: bool,
}

impl QuoteHistory {
    /// One statement about a received quote; `at` is the sender's own time.
    pub fn of_received(details: QuoteDetails, version: FactVersion, at: Option<DateTime<Utc>>) -> Self {
        Self {
            received: true,
            ..Self::of_observed(details, version, at)
        }
    }

    /// One statement about a quote that may not have been received; `at` is the sender's own time.
    pub fn of_observed(details: QuoteDetails, version: FactVersion, at: Option<DateTime<Utc>>) -> Self {
        let observation = Observation {
            details,
            earliest_at: at.or(version.at),
            first_version_at: version.at,
            has_sender_time: at == version.at,
            latest_version: version,
        };
        match observation.latest_version.source {
            FactSource::Event => Self {
                event: Some(observation),
                ..Self::default()
            },
            FactSource::Document => Self {
                documents: vec![observation],
                ..Self::default()
            },
        }
    }

    /// The quote was valid at this time; nothing else is known about it.
    pub fn of_reaffirmed(at: Option<DateTime<Utc>>) -> Self {
        Self {
            first_reaffirmed_at: at,
            last_reaffirmed_at: at,
            ..Self::default()
        }
    }

    /// Adds another history of the same quote. Commutative, associative and idempotent.
    pub fn merge(&mut self, other: &Self) {
        let Self {
            received,
            event,
            documents,
            first_reaffirmed_at,
            last_reaffirmed_at,
        } = other;
        self.received |= received;
        if let Some(event) = event {
            match &mut self.event {
                Some(known) => known.merge_event(event),
                None => self.event = Some(event.clone()),
            }
        }
        for document in documents {
            match self
                .documents
                .iter_mut()
                .find(|known| known.is_same_statement(document))
            {
                Some(known) => known.merge_repetition(document),
                None => self.documents.push(document.clone()),
            }
        }
        self.documents.sort_by(|one, other| {
            (&other.latest_version, other.has_sender_time).cmp(&(&one.latest_version, one.has_sender_time))
        });
        self.documents.truncate(MAX_DOCUMENT_OBSERVATIONS);
        self.first_reaffirmed_at = self.first_reaffirmed_at.into_iter().chain(*first_reaffirmed_at).min();
        self.last_reaffirmed_at = self.last_reaffirmed_at.max(*last_reaffirmed_at);
    }

    /// The highest version of any observation.
    pub fn version(&self) -> Option<&FactVersion> {
        self.observations().map(|observation| &observation.latest_version).max()
    }

    /// The complete quote: the newest document, its gaps filled from older ones, back to and including the newest event.
    /// `None` if the quote was not received.
    pub fn details(&self) -> Option<QuoteDetails> {
        if !self.received {
            return None;
        }
        let event = self.event.as_ref();
        let is_newer =
            |document: &&Observation| event.is_none_or(|event| document.latest_version > event.latest_version);
        let mut newest_first = self.documents.iter().filter(is_newer).chain(event);
        let mut details = newest_first.next()?.details.clone();
        for observation in newest_first {
            fill_gaps(&mut details, &observation.details);
        }
        Some(details)
    }

    /// The earliest time of all; `None`, the lowest, when an observation had none.
    pub fn first_fact_at(&self) -> Option<DateTime<Utc>> {
        let earliest = self
            .observations()
            .map(|observation| observation.earliest_at)
            .min()
            .flatten();
        match self.first_reaffirmed_at {
            Some(reaffirmed) => earliest.min(Some(reaffirmed)),
            None => earliest,
        }
    }

    /// The time of the last change of a quote that has this price now: the newest of the sender's own times or, where the
    /// price came without one, the time at which the price was first observed. The first price ever observed is as old as
    /// the quote, however late it was fetched.
    pub fn changed_at(&self, price: Option<&Money>) -> Option<DateTime<Utc>> {
        let by_sender = self.observations().filter(|observation| observation.has_sender_time);
        let newest_sender_time = by_sender.filter_map(|observation| observation.latest_version.at).max();
        let has_price = |observation: &&Observation| observation.details.price.as_ref() == price;
        let fetched_with_price = || {
            self.documents
                .iter()
                .filter(has_price)
                .filter(|document| !document.has_sender_time)
        };
        let first_observed = fetched_with_price().map(|document| document.first_version_at).min();
        let (Some(first_observed), None) = (first_observed, self.event.as_ref().filter(has_price)) else {
            return newest_sender_time;
        };
        let has_other_price =
            |observation: &Observation| observation.details.price.is_some() && !has_price(&observation);
        let had_other_price = self
            .observations()
            .any(|observation| has_other_price(observation) && observation.first_version_at < first_observed);
        let price_since = match had_other_price {
            true => first_observed,
            false => fetched_with_price()
                .map(|document| document.earliest_at)
                .min()
                .flatten(),
        };
        newest_sender_time.max(price_since)
    }

    pub(super) fn observations(&self) -> impl Iterator<Item = &Observation> {
        self.documents.iter().chain(&self.event)
    }
}

impl Observation {
    /// Keeps the newer of two events, and the earliest time of both.
    fn merge_event(&mut self, other: &Self) {
        let earliest_at = self.earliest_at.min(other.earliest_at);
        if self.latest_version < other.latest_version {
            *self = other.clone();
        }
        self.earliest_at = earliest_at;
    }

    fn is_same_statement(&self, other: &Self) -> bool {
        fn statement(observation: &Observation) -> (&QuoteDetails, bool) {
            let Observation {
                details,
                earliest_at: _,
                first_version_at: _,
                latest_version: _,
                has_sender_time,
            } = observation;
            (details, *has_sender_time)
        }
        statement(self) == statement(other)
    }

    fn merge_repetition(&mut self, other: &Self) {
        let Self {
            details: _, // both are the same statement
            earliest_at,
            first_version_at,
            latest_version,
            has_sender_time: _,
        } = other;
        self.earliest_at = self.earliest_at.min(*earliest_at);
        self.first_version_at = self.first_version_at.min(*first_version_at);
        if self.latest_version < *latest_version {
            self.latest_version.clone_from(latest_version);
        }
    }
}

/// Fills the missing parts from an older observation.
fn fill_gaps(details: &mut QuoteDetails, older: &QuoteDetails) {
    fn fill<T: Clone>(part: &mut Option<T>, older: &Option<T>) {
        if part.is_none() {
            part.clone_from(older);
        }
    }
    let QuoteDetails {
        quote: _,
        rfq,
        price,
        operator,
        aircraft_type,
        aircraft_tail,
        valid_until,
        description,
    } = older;
    fill(&mut details.rfq, rfq);
    fill(&mut details.price, price);
    if details.operator == Party::default() {
        details.operator.clone_from(operator);
    }
    fill(&mut details.aircraft_type, aircraft_type);
    fill(&mut details.aircraft_tail, aircraft_tail);
    fill(&mut details.valid_until, valid_until);
    let QuoteDescription {
        aircraft_model,
        aircraft_capacity,
        departure_time,
        arrival_time,
        message,
        contact,
    } = description;
    let described = &mut details.description;
    fill(&mut described.aircraft_model, aircraft_model);
    fill(&mut described.aircraft_capacity, aircraft_capacity);
    fill(&mut described.departure_time, departure_time);
    fill(&mut described.arrival_time, arrival_time);
    fill(&mut described.message, message);
    if described.contact.is_empty() {
        described.contact.clone_from(contact);
    }
}
