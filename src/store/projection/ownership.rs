//! The columns of a row that the service may overwrite. The application writes to the same row: it copies what it reads from
//! Avinode, and people change values. A value that Avinode stated, at any time, or that we wrote was not chosen by a person, and the
//! newest one replaces it; any other value is the application's. What the application inserted for a quote of Avinode's was stated by
//! Avinode too, and is replaced once Avinode states the quote again.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

use super::values::{ProjectedValue, UNKNOWN};
use crate::domain::stated_values::{self, StatedPart, StatedValues};

/// The difference between a row and a quote.
#[derive(Debug, Default, PartialEq)]
pub(super) struct RowChange {
    /// The new values by column. Empty if the row shows the quote as far as the service may write it.
    pub(super) columns: Map<String, Value>,
    /// The values that the service wrote last, by name. The value of a column that the application changed is kept.
    pub(super) written: Map<String, Value>,
    /// Empty columns of the row may be filled.
    pub(super) may_fill: bool,
}

/// Compares a row, as JSON by column, with the newest values of its quote. `stated`: Avinode's, to us and to the application;
/// `written`: those that we wrote before.
pub(super) fn compare(
    row: &Map<String, Value>,
    values: &[ProjectedValue],
    stated: &[&StatedValues],
    written: &Map<String, Value>,
) -> RowChange {
    let mut change = RowChange {
        columns: Map::new(),
        written: written.clone(),
        may_fill: false,
    };
    let mut objects: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    let owns = |column: &str, part| {
        let current = row.get(column).filter(|current| !current.is_null());
        current.is_some_and(|current| is_owned(current, part, stated, written.get(column)))
    };
    let owns_price = owns("total_price", StatedPart::Price);
    let owns_aircraft = owns("aircraft_type", StatedPart::Aircraft);
    // A row of the application's with a price of its own is not completed, nor one with another aircraft.
    change.may_fill = owns_price || !written.is_empty();
    let may_fill_any = change.may_fill;
    let may_fill = |value: &ProjectedValue| may_fill_any && (owns_aircraft || value.column != "aircraft_details");
    for value in values {
        // The application's table may lack the column.
        let Some(column) = row.get(value.column) else { continue };
        let (current, object) = match (value.key, column) {
            (None, column) => (column, None),
            (Some(key), Value::Object(object)) => (object.get(key).unwrap_or(&Value::Null), Some(object)),
            (Some(_), Value::Null) => (&Value::Null, None),
            // Not an object: the application's own.
            (Some(_), _) => continue,
        };
        let name = value.name();
        let is_owned = is_owned(current, value.part, stated, written.get(&name));
        // The currency belongs to the price.
        if !is_owned || (current.is_null() && !may_fill(value)) || (value.part == StatedPart::Currency && !owns_price) {
            continue;
        }
        if value.value.is_null() {
            // Avinode no longer states it. It may have been written for another trip, before the two trips were merged.
            if value.key.is_none() && !current.is_null() && is_cleared(value.part) {
                change.columns.insert(value.column.to_owned(), Value::Null);
                change.written.insert(name, Value::Null);
            }
            continue;
        }
        change.written.insert(name, value.recorded());
        if canonical(value.part, current) == canonical(value.part, &value.value) {
            continue;
        }
        match value.key {
            None => {
                change.columns.insert(value.column.to_owned(), value.value.clone());
            }
            Some(key) => {
                let object = objects
                    .entry(value.column)
                    .or_insert_with(|| object.cloned().unwrap_or_default());
                object.insert(key.to_owned(), value.value.clone());
            }
        }
    }
    let objects = objects
        .into_iter()
        .map(|(column, object)| (column.to_owned(), json!(object)));
    change.columns.extend(objects);
    change
}

/// The values that the application inserted for a quote, as lists of texts by part.
pub(super) fn inserted_values(by_part: &Value) -> StatedValues {
    let mut inserted = StatedValues::default();
    for (part, values) in by_part.as_object().into_iter().flatten() {
        // A newer program may record more parts.
        let Ok(part) = serde_json::from_value(json!(part)) else {
            continue;
        };
        for value in values.as_array().into_iter().flatten() {
            if let Some(value) = canonical(part, value) {
                inserted.add(part, value);
            }
        }
    }
    inserted
}

/// True for a value that no person chose: an empty one, unless we wrote another one before, or one of Avinode's.
fn is_owned(current: &Value, part: StatedPart, stated: &[&StatedValues], written: Option<&Value>) -> bool {
    if current.is_null() {
        return written.is_none_or(Value::is_null);
    }
    let Some(current) = canonical(part, current) else {
        return false;
    };
    let is_placeholder = matches!(part, StatedPart::Operator | StatedPart::Aircraft) && current == UNKNOWN;
    let is_written = || written.and_then(|written| canonical(part, written)).as_ref() == Some(&current);
    is_placeholder || stated.iter().any(|known| known.contains(part, &current)) || is_written()
}

/// A newer offer may be without these; the other parts stay as they were stated last.
fn is_cleared(part: StatedPart) -> bool {
    matches!(part, StatedPart::ValidUntil | StatedPart::Tail)
}

/// The value in the form in which [`StatedValues`] has it; `None` if it cannot have been stated.
fn canonical(part: StatedPart, value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    match part {
        StatedPart::Price => text.parse::<Decimal>().ok().map(stated_values::price),
        StatedPart::ValidUntil => {
            let until = DateTime::parse_from_rfc3339(&text).ok()?;
            Some(stated_values::time(until.with_timezone(&Utc)))
        }
        StatedPart::Schedule => Some(stated_values::schedule_time(&text)),
        StatedPart::Currency
        | StatedPart::Operator
        | StatedPart::Aircraft
        | StatedPart::Tail
        | StatedPart::Capacity
        | StatedPart::Message => Some(stated_values::text(&text)),
    }
}

#[cfg(test)]
mod tests;
