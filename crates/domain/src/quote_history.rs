//! The statements about one quote: of events, and of documents with the first and last time at which each was read. Everything
//! else about the quote is derived from them, so every order of arrival ends in the same state.
//!
//! An event is complete. A document shows what its kind of resource holds (an RFQ the aircraft, a message the price) and
//! repeats it whenever it is fetched. So a gap in one document is filled from another, and a repetition is no change.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use self::observation::{ChangeTime, Observation};
use self::order::newest_first;
use super::event::{FactSource, FactVersion, Money, Party, QuoteDescription, QuoteDetails, QuoteOrigin};

pub mod observation;
mod order;

/// The most distinct observations kept of one quote; the oldest are dropped.
const MAX_OBSERVATIONS: usize = 64;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuoteHistory {
    /// An event, a seller's message or an RFQ's latest quote says that the seller made the quote.
    pub made_by_seller: bool,
    /// An accepted lift links the quote.
    pub linked: bool,
    /// The quote's own document was read, and does not say that Avinode generated it.
    pub not_generated: bool,
    /// Avinode generated it.
    pub generated: bool,
    /// The distinct statements, the newest first. Of the events with a timestamp only the newest: an event is complete.
    pub observations: Vec<Observation>,
    /// The earliest time of any statement.
    pub first_fact_at: Option<DateTime<Utc>>,
    /// The latest time at which the quote is known to have been valid.
    pub last_reaffirmed_at: Option<DateTime<Utc>>,
}

impl QuoteHistory {
    /// One statement about a quote that its seller made; `at` is the sender's own time.
    pub fn of_received(details: QuoteDetails, version: &FactVersion, at: Option<DateTime<Utc>>) -> Self {
        Self {
            made_by_seller: true,
            ..Self::of_observed(details, version, at)
        }
    }

    /// One statement about a quote that may not have been received; `at` is the sender's own time.
    pub fn of_observed(details: QuoteDetails, version: &FactVersion, at: Option<DateTime<Utc>>) -> Self {
        let FactVersion {
            at: written_at,
            seen_at,
            source,
            digest,
        } = *version;
        let stated = [at, written_at, details.created_at].into_iter().flatten().min();
        Self {
            first_fact_at: Some(stated.unwrap_or(seen_at)),
            observations: vec![Observation {
                details,
                source,
                at: written_at,
                first_seen_at: seen_at,
                last_seen_at: seen_at,
                digest,
            }],
            ..Self::default()
        }
    }

    /// The quote was valid at this time; nothing else is known about it.
    pub fn of_reaffirmed(at: DateTime<Utc>) -> Self {
        Self {
            first_fact_at: Some(at),
            last_reaffirmed_at: Some(at),
            ..Self::default()
        }
    }

    pub fn of_origin(origin: QuoteOrigin) -> Self {
        Self {
            linked: origin == QuoteOrigin::AcceptedLift,
            not_generated: origin == QuoteOrigin::NotGenerated,
            generated: origin == QuoteOrigin::Generated,
            ..Self::default()
        }
    }

    /// Adds another history of the same quote. Commutative, associative and idempotent.
    pub fn merge(&mut self, other: &Self) {
        let Self {
            made_by_seller,
            linked,
            not_generated,
            generated,
            observations,
            first_fact_at,
            last_reaffirmed_at,
        } = other;
        self.made_by_seller |= made_by_seller;
        self.linked |= linked;
        self.not_generated |= not_generated;
        self.generated |= generated;
        for observation in observations {
            let mut known = self.observations.iter_mut();
            match known.find(|known| known.is_same_statement(observation)) {
                Some(known) => known.merge_repetition(observation),
                None => self.observations.push(observation.clone()),
            }
        }
        self.forget_older_events();
        newest_first(&mut self.observations);
        self.observations.truncate(MAX_OBSERVATIONS);
        self.first_fact_at = self.first_fact_at.into_iter().chain(*first_fact_at).min();
        self.last_reaffirmed_at = self.last_reaffirmed_at.max(*last_reaffirmed_at);
    }

    /// Events with the newest timestamp stay, and those without one: the time at which they were first received may become
    /// earlier, and with it their place.
    fn forget_older_events(&mut self) {
        let is_event = |observation: &Observation| observation.source == FactSource::Event;
        let events = self.observations.iter().filter(|observation| is_event(observation));
        let newest = events.filter_map(|event| event.at).max();
        self.observations
            .retain(|known| !is_event(known) || known.at.is_none() || known.at == newest);
    }

    /// True if the seller made the quote. A quote that Avinode generated is never received; one that an accepted lift links is
    /// once its own document was read.
    pub fn is_received(&self) -> bool {
        !self.generated && (self.made_by_seller || (self.linked && self.not_generated)) && !self.observations.is_empty()
    }

    /// The version of the newest observation.
    pub fn version(&self) -> Option<FactVersion> {
        self.observations.first().map(|newest| FactVersion {
            at: newest.at,
            seen_at: newest.seen_at(),
            source: newest.source,
            digest: newest.digest,
        })
    }

    /// The newest statement of an event.
    pub fn newest_event(&self) -> Option<&Observation> {
        self.observations.iter().find(|known| known.source == FactSource::Event)
    }

    /// The complete quote: the newest observation, its gaps filled from older ones, back to and including the newest event.
    /// `None` if the quote was not received.
    pub fn details(&self) -> Option<QuoteDetails> {
        let newest = self.observations.first().filter(|_| self.is_received())?;
        let mut details = newest.details.clone();
        let mut previous = newest;
        for observation in &self.observations[1..] {
            if previous.source == FactSource::Event {
                break;
            }
            fill_gaps(&mut details, &observation.details);
            previous = observation;
        }
        Some(details)
    }

    /// The time of the last change of a quote that has this price now: the newest of the sender's own times or, where the
    /// price came without one, the time at which the price was first observed. The first price ever observed is as old as
    /// the quote, however late it was fetched. `None` without an observation.
    pub fn changed_at(&self, price: Option<&Money>) -> Option<ChangeTime> {
        let has_price = |observation: &&Observation| observation.details.price.as_ref() == price;
        let newest_statement = self.observations.iter().filter_map(Observation::stated_at).max();
        let is_since_last_change =
            |observation: &&Observation| observation.details.price.is_none() || has_price(observation);
        let since = || {
            self.observations
                .iter()
                .take_while(is_since_last_change)
                .filter(has_price)
        };
        if since().any(|observation| observation.stated_at().is_some()) {
            return newest_statement;
        }
        let Some(first_observed) = since().map(|document| document.first_seen_at).min() else {
            return newest_statement;
        };
        // A quote that states another creation time was made anew: its price is as old as that.
        let created_at = since().find_map(|document| document.details.created_at);
        let is_of_older_quote =
            |other: &Observation| created_at.zip(other.details.created_at).is_some_and(|(a, b)| a != b);
        let had_other_price = |other: &Observation| {
            other.details.price.is_some()
                && !has_price(&other)
                && other.first_moment() < first_observed
                && !is_of_older_quote(other)
        };
        let at = match self.observations.iter().any(had_other_price) {
            true => first_observed,
            false => since()
                .map(|document| document.details.created_at.unwrap_or(document.first_seen_at))
                .min()
                .unwrap_or(first_observed),
        };
        newest_statement.max(Some(ChangeTime {
            at,
            source: FactSource::Document,
            seen_at: at,
        }))
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
        unread_price,
        operator,
        aircraft_type,
        aircraft_tail,
        valid_until,
        created_at,
        description,
    } = older;
    fill(&mut details.rfq, rfq);
    if details.price.is_none() {
        fill(&mut details.unread_price, unread_price);
    }
    fill(&mut details.price, price);
    if details.operator == Party::default() {
        details.operator.clone_from(operator);
    }
    fill(&mut details.aircraft_type, aircraft_type);
    fill(&mut details.aircraft_tail, aircraft_tail);
    fill(&mut details.valid_until, valid_until);
    fill(&mut details.created_at, created_at);
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
