//! The values that Avinode ever stated about one quote, by part. The history of a quote drops old observations; these sets keep
//! their values, because the application may have copied one of them into its own row.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, SecondsFormat, Utc};
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::event::{Money, Party, QuoteDescription, QuoteDetails};
use super::quote_history::QuoteHistory;

/// The most values kept of one part. The smallest are kept, so that the order of arrival makes no difference.
const MAX_VALUES: usize = 64;
/// Longer texts are kept as a digest.
const MAX_TEXT_BYTES: usize = 100;

/// A part of a quote. Parts that the application may mix up share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatedPart {
    /// In whole cents: [`price`].
    Price,
    Currency,
    /// Id and name of the company and of the person.
    Operator,
    /// Type and model.
    Aircraft,
    Tail,
    Capacity,
    /// [`time`].
    ValidUntil,
    /// Departure and arrival: [`schedule_time`].
    Schedule,
    Message,
}

/// Sets of values in one canonical form each.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedValues(BTreeMap<StatedPart, BTreeSet<String>>);

impl StatedValues {
    /// The values of one statement.
    pub fn of_details(details: &QuoteDetails) -> Self {
        let mut stated = Self::default();
        stated.add_details(details);
        stated
    }

    /// Adds the values of all observations of a history.
    pub fn add_history(&mut self, history: &QuoteHistory) {
        for observation in &history.observations {
            self.add_details(&observation.details);
        }
    }

    /// Adds other values of the same quote. Commutative, associative and idempotent.
    pub fn merge(&mut self, other: &Self) {
        let Self(parts) = other;
        for (part, values) in parts {
            for value in values {
                self.insert(*part, value.clone());
            }
        }
    }

    /// Adds a value in its canonical form.
    pub fn add(&mut self, part: StatedPart, value: String) {
        self.insert(part, value);
    }

    /// True if this value, in its canonical form, was stated.
    pub fn contains(&self, part: StatedPart, value: &str) -> bool {
        self.0.get(&part).is_some_and(|values| values.contains(value))
    }

    /// True if any value of this part was stated.
    pub fn has(&self, part: StatedPart) -> bool {
        self.0.get(&part).is_some_and(|values| !values.is_empty())
    }

    fn add_details(&mut self, details: &QuoteDetails) {
        let QuoteDetails {
            quote: _,
            rfq: _,
            price: offered,
            unread_price: _,
            operator,
            aircraft_type,
            aircraft_tail,
            valid_until,
            created_at: _,
            description,
        } = details;
        let QuoteDescription {
            aircraft_model,
            aircraft_capacity,
            departure_time,
            arrival_time,
            message,
            contact,
        } = description;
        if let Some(Money { amount, currency }) = offered {
            for rounding in [
                RoundingStrategy::MidpointAwayFromZero,
                RoundingStrategy::MidpointNearestEven,
            ] {
                self.insert(StatedPart::Price, rounded(*amount, rounding));
            }
            self.insert(StatedPart::Currency, text(currency));
        }
        for Party { id, name } in [operator, contact] {
            self.insert_texts(StatedPart::Operator, [id, name]);
        }
        self.insert_texts(StatedPart::Aircraft, [aircraft_type, aircraft_model]);
        self.insert_texts(StatedPart::Tail, [aircraft_tail]);
        self.insert_texts(StatedPart::Message, [message]);
        if let Some(capacity) = aircraft_capacity {
            self.insert(StatedPart::Capacity, capacity.to_string());
        }
        if let Some(until) = valid_until {
            self.insert(StatedPart::ValidUntil, time(*until));
        }
        for at in [departure_time, arrival_time].into_iter().flatten() {
            self.insert(StatedPart::Schedule, schedule_time(at));
        }
    }

    fn insert_texts<'a>(&mut self, part: StatedPart, texts: impl IntoIterator<Item = &'a Option<String>>) {
        for stated in texts.into_iter().flatten() {
            self.insert(part, text(stated));
        }
    }

    fn insert(&mut self, part: StatedPart, value: String) {
        let values = self.0.entry(part).or_default();
        values.insert(value);
        if values.len() > MAX_VALUES {
            values.pop_last();
        }
    }
}

/// The canonical form of a price: two decimals, as `numeric(12,2)` rounds it.
pub fn price(amount: Decimal) -> String {
    rounded(amount, RoundingStrategy::MidpointAwayFromZero)
}

/// The canonical form of a time.
pub fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

/// The canonical form of a time in a schedule, which may be a local time without a zone.
pub fn schedule_time(at: &str) -> String {
    match DateTime::parse_from_rfc3339(at.trim()) {
        Ok(at) => time(at.to_utc()),
        Err(_) => text(at),
    }
}

/// The canonical form of a text: without white space around it.
pub fn text(text: &str) -> String {
    let text = text.trim();
    if text.len() <= MAX_TEXT_BYTES {
        return text.to_owned();
    }
    format!("sha256:{}", hex::encode(Sha256::digest(text)))
}

fn rounded(amount: Decimal, rounding: RoundingStrategy) -> String {
    let mut amount = amount.round_dp_with_strategy(2, rounding);
    amount.rescale(2);
    amount.to_string()
}

#[cfg(test)]
mod tests;
