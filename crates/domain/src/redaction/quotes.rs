//! The texts in what is known about a quote: columns of `quote_facts` and `rfqs`, as JSON by column.
//!
//! Versions and digests stay, so the same statement is still recognised, and changes nothing.

use std::collections::BTreeSet;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{REDACTED, Redaction};
use crate::event::{Party, QuoteDescription, QuoteDetails};
use crate::newest_fact::NewestFact;
use crate::quote_history::QuoteHistory;
use crate::stated_values;

const TEXT_COLUMNS: [&str; 6] = [
    "operator_id",
    "operator_name",
    "aircraft_type",
    "aircraft_tail",
    "decline_reason",
    "projection_error",
];
/// Parts of `stated_values` that are texts of people.
const TEXT_PARTS: [&str; 5] = ["operator", "aircraft", "tail", "schedule", "message"];
/// Values in `projected_values` that are texts of people.
const PROJECTED_TEXTS: [&str; 9] = [
    "operator_id",
    "operator_name",
    "aircraft_type",
    "aircraft_tail_number",
    "aircraft_details.type",
    "aircraft_details.model",
    "schedule.departureTime",
    "schedule.arrivalTime",
    "message_content",
];

/// Every text of a quote. Destructured, so that a new property is not forgotten.
fn texts(details: &mut QuoteDetails) -> Vec<&mut String> {
    let QuoteDetails {
        quote: _,
        rfq: _,
        price: _,
        unread_price,
        operator: Party { id, name },
        aircraft_type,
        aircraft_tail,
        valid_until: _,
        created_at: _,
        description,
    } = details;
    let own = [unread_price, id, name, aircraft_type, aircraft_tail];
    let mut texts: Vec<&mut String> = own.into_iter().flatten().collect();
    texts.extend(description_texts(description));
    texts
}

fn description_texts(description: &mut QuoteDescription) -> Vec<&mut String> {
    let QuoteDescription {
        aircraft_model,
        aircraft_capacity: _,
        departure_time,
        arrival_time,
        message,
        contact: Party { id, name },
    } = description;
    let texts = [aircraft_model, departure_time, arrival_time, message, id, name];
    texts.into_iter().flatten().collect()
}

impl Redaction {
    /// Redacts a row of `quote_facts`.
    pub fn quote_row(&self, row: &mut Map<String, Value>) -> bool {
        let mut removed = BTreeSet::new();
        for column in TEXT_COLUMNS {
            if let Some(Value::String(text)) = row.get_mut(column) {
                self.remove(text, &mut removed);
            }
        }
        change(row, "description", |description: &mut QuoteDescription| {
            for text in description_texts(description) {
                self.remove(text, &mut removed);
            }
        });
        change(row, "history", |history: &mut QuoteHistory| {
            for observation in &mut history.observations {
                for text in texts(&mut observation.details) {
                    self.remove(text, &mut removed);
                }
            }
        });
        let mut changed = !removed.is_empty();
        changed |= self.declines(row);
        // A long message is kept as a digest, by which its column would still count as written by the service.
        let forms: BTreeSet<String> = removed.iter().map(|text| stated_values::text(text)).collect();
        let is_removed = |text: &str| text != REDACTED && (forms.contains(text) || removed.contains(text));
        if let Some(Value::Object(parts)) = row.get_mut("stated_values") {
            for part in TEXT_PARTS {
                let Some(Value::Array(values)) = parts.get_mut(part) else {
                    continue;
                };
                let kept: BTreeSet<String> = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
                let redacted = kept.iter().map(|text| {
                    let mut value = text.clone();
                    match is_removed(text) || self.text(&mut value) {
                        true => REDACTED.to_owned(),
                        false => value,
                    }
                });
                let redacted: BTreeSet<String> = redacted.collect();
                if redacted != kept {
                    *values = redacted.into_iter().map(Value::String).collect();
                    changed = true;
                }
            }
        }
        if let Some(Value::Object(projected)) = row.get_mut("projected_values") {
            for name in PROJECTED_TEXTS {
                let Some(Value::String(text)) = projected.get_mut(name) else {
                    continue;
                };
                if is_removed(text) {
                    REDACTED.clone_into(text);
                    changed = true;
                } else {
                    changed |= self.text(text);
                }
            }
        }
        changed
    }

    /// Redacts a row of `rfqs`.
    pub fn rfq_row(&self, row: &mut Map<String, Value>) -> bool {
        self.columns(row, &["decline_reason"]) | self.declines(row)
    }

    fn declines(&self, row: &mut Map<String, Value>) -> bool {
        let mut changed = self.columns(row, &["decline_reason"]);
        change(row, "declines", |declines: &mut NewestFact<Option<String>>| {
            for reason in declines.values_mut().flatten() {
                changed |= self.text(reason);
            }
        });
        changed
    }

    /// Replaces a text, and remembers it.
    fn remove(&self, text: &mut String, removed: &mut BTreeSet<String>) {
        let before = text.clone();
        if self.text(text) {
            removed.insert(before);
        }
    }
}

/// Changes a column that holds JSON of this type. One that cannot be read is not read by the service either, and is emptied.
fn change<T: Serialize + DeserializeOwned>(row: &mut Map<String, Value>, column: &str, change: impl FnOnce(&mut T)) {
    let Some(value) = row.get_mut(column).filter(|value| !value.is_null()) else {
        return;
    };
    *value = match T::deserialize(&*value) {
        Ok(mut read) => {
            change(&mut read);
            json!(read)
        }
        Err(_) => Value::Null,
    };
}
