//! Finds out whether stored material is about a trip.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::ids::TripId;

/// A trip's ids, and those of everything that is known of it.
#[derive(Debug, Clone, Default)]
pub struct TripMaterial {
    /// In normal form.
    pub trips: BTreeSet<String>,
    /// RFQs, quotes and messages, in lower case.
    resources: BTreeSet<String>,
}

impl TripMaterial {
    pub fn new(trips: BTreeSet<String>, resources: impl IntoIterator<Item = String>) -> Self {
        let resources = resources.into_iter().map(|id| id.to_lowercase()).collect();
        Self { trips, resources }
    }

    /// True for an id of the trip or of one of its resources.
    pub fn has(&self, id: &str) -> bool {
        let is_trip = || TripId::parse(id).is_ok_and(|trip| self.trips.contains(trip.as_str()));
        self.resources.contains(&id.trim().to_lowercase()) || is_trip()
    }

    /// True if a JSON body names one of the ids, alone or in a URL.
    pub fn is_named_in(&self, body: &[u8]) -> bool {
        serde_json::from_slice(body).is_ok_and(|value: Value| self.is_in(&value, false))
    }

    /// `of_trip`: the value belongs to a key that names a trip.
    fn is_in(&self, value: &Value, of_trip: bool) -> bool {
        match value {
            Value::String(text) => self.is_in_text(text, of_trip),
            // A number alone may be a price.
            Value::Number(number) => of_trip && self.has(&number.to_string()),
            Value::Array(items) => items.iter().any(|item| self.is_in(item, of_trip)),
            Value::Object(object) => object
                .iter()
                .any(|(key, item)| self.is_in(item, key.to_lowercase().contains("trip") || (of_trip && key == "id"))),
            Value::Null | Value::Bool(_) => false,
        }
    }

    fn is_in_text(&self, text: &str, of_trip: bool) -> bool {
        // Digits alone, or a short id, may be something else.
        let is_id = |word: &str| (of_trip || word.contains('-')) && self.has(word);
        let is_separator = |c: char| !(c.is_alphanumeric() || c == '-' || c == '_');
        is_id(text)
            || text
                .split(is_separator)
                .any(|word| word.contains('-') && self.has(word))
    }
}
