//! Redaction: personal text in stored material is replaced. Ids of resources, digests, prices and times stay, so that counts,
//! selection and deduplication are as before.

pub mod bodies;
pub mod person_text;
pub mod quotes;
pub mod shareable;
pub mod trip_material;

use serde_json::{Map, Value};

use self::person_text::PersonText;

/// Stands for a text that was redacted.
pub const REDACTED: &str = "[redacted]";

/// Properties of timeline entries that name resources and prices.
const KEPT_IN_TIMELINES: [&str; 7] = ["quote", "rfq", "message", "trip", "proposal", "price", "currency"];

/// The texts that are redacted.
#[derive(Debug, Clone)]
pub enum Redaction {
    /// All of them.
    All,
    /// Those that contain this text.
    Containing(PersonText),
}

impl Redaction {
    /// Returns true if a text was replaced.
    pub fn text(&self, text: &mut String) -> bool {
        let applies = match self {
            Self::All => !text.is_empty(),
            Self::Containing(person) => person.is_in(text),
        };
        if !applies || text == REDACTED {
            return false;
        }
        REDACTED.clone_into(text);
        true
    }

    /// Redacts the strings in a JSON value, except those of objects under a key that `keeps` accepts.
    pub fn strings(&self, value: &mut Value, keeps: &dyn Fn(&str) -> bool) -> bool {
        match value {
            Value::String(text) => self.text(text),
            Value::Array(items) => items
                .iter_mut()
                .fold(false, |changed, item| self.strings(item, keeps) | changed),
            Value::Object(object) => object
                .iter_mut()
                .filter(|(key, _)| !keeps(key))
                .fold(false, |changed, (_, item)| self.strings(item, keeps) | changed),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// Redacts columns of a row, given as JSON: texts and lists of texts.
    pub fn columns(&self, row: &mut Map<String, Value>, columns: &[&str]) -> bool {
        columns.iter().fold(false, |changed, column| {
            let redacted = row
                .get_mut(*column)
                .is_some_and(|value| self.strings(value, &|_| false));
            redacted | changed
        })
    }

    /// Redacts the detail of a timeline entry.
    pub fn timeline_detail(&self, detail: &mut Value) -> bool {
        self.strings(detail, &|key| KEPT_IN_TIMELINES.contains(&key))
    }

    /// Redacts the lines of stored headers that contain the text. They are no material of a trip.
    pub fn headers(&self, headers: &str) -> Option<String> {
        let Self::Containing(person) = self else { return None };
        if !person.is_in(headers) {
            return None;
        }
        let line = |line: &str| match line.split_once(':') {
            _ if !person.is_in(line) => format!("{line}\n"),
            Some((name, _)) if !person.is_in(name) => format!("{name}: {REDACTED}\n"),
            _ => format!("{REDACTED}\n"),
        };
        Some(headers.lines().map(line).collect::<String>()).filter(|redacted| redacted != headers)
    }
}

#[cfg(test)]
mod tests;
