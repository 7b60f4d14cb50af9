//! The values of a quote for the columns of `quotes`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::QuoteProjection;
use crate::domain::stated_values::{self, StatedPart};

/// The application may require a value, so an unknown one is `unknown`.
pub(super) const UNKNOWN: &str = "unknown";

/// The value of a quote for a column, or for one key of a column that holds an object.
pub(super) struct ProjectedValue {
    pub(super) column: &'static str,
    pub(super) key: Option<&'static str>,
    /// The part of Avinode's statements that the value is from.
    pub(super) part: StatedPart,
    /// Null if the quote has none.
    pub(super) value: Value,
}

impl ProjectedValue {
    /// The name of the value in `projected_values`.
    pub(super) fn name(&self) -> String {
        match self.key {
            Some(key) => format!("{}.{key}", self.column),
            None => self.column.to_owned(),
        }
    }

    /// The value in `projected_values`: a long message is recorded by its digest.
    pub(super) fn recorded(&self) -> Value {
        match (self.part, &self.value) {
            (StatedPart::Message, Value::String(text)) => json!(stated_values::text(text)),
            (_, value) => value.clone(),
        }
    }
}

/// All values of a quote; the total price is before the currency, which belongs to it. Prices are text: they are decimal.
pub(super) fn of_quote(projection: &QuoteProjection<'_>) -> Vec<ProjectedValue> {
    let details = &projection.facts.details;
    let description = &details.description;
    let (id, name) = (details.operator.id.as_deref(), details.operator.name.as_deref());
    let price = stated_values::price(projection.price);
    let currency = details.price.as_ref().map(|price| price.currency.as_str());
    let values = [
        (
            "operator_id",
            None,
            StatedPart::Operator,
            json!(id.or(name).unwrap_or(UNKNOWN)),
        ),
        (
            "operator_name",
            None,
            StatedPart::Operator,
            json!(name.or(id).unwrap_or(UNKNOWN)),
        ),
        ("base_price", None, StatedPart::Price, json!(price)),
        ("total_price", None, StatedPart::Price, json!(price)),
        ("metadata", Some("currency"), StatedPart::Currency, json!(currency)),
        (
            "aircraft_type",
            None,
            StatedPart::Aircraft,
            json!(details.aircraft_type.as_deref().unwrap_or(UNKNOWN)),
        ),
        (
            "aircraft_tail_number",
            None,
            StatedPart::Tail,
            json!(details.aircraft_tail),
        ),
        (
            "valid_until",
            None,
            StatedPart::ValidUntil,
            json!(details.valid_until.map(stated_values::time)),
        ),
        (
            "aircraft_details",
            Some("type"),
            StatedPart::Aircraft,
            json!(details.aircraft_type),
        ),
        (
            "aircraft_details",
            Some("model"),
            StatedPart::Aircraft,
            json!(description.aircraft_model),
        ),
        (
            "aircraft_details",
            Some("capacity"),
            StatedPart::Capacity,
            json!(description.aircraft_capacity),
        ),
        (
            "schedule",
            Some("departureTime"),
            StatedPart::Schedule,
            json!(description.departure_time),
        ),
        (
            "schedule",
            Some("arrivalTime"),
            StatedPart::Schedule,
            json!(description.arrival_time),
        ),
        ("message_content", None, StatedPart::Message, json!(description.message)),
    ];
    values
        .into_iter()
        .map(|(column, key, part, value)| ProjectedValue {
            column,
            key,
            part,
            value,
        })
        .collect()
}

/// A new row by column; columns without a value are left to their defaults.
pub(super) fn new_row(projection: &QuoteProjection<'_>, values: &[ProjectedValue]) -> BTreeMap<&'static str, Value> {
    let mut row = BTreeMap::from([
        ("id", json!(projection.new_id)),
        ("request_id", json!(projection.request_id)),
        (
            "received_at",
            json!(stated_values::time(projection.facts.first_fact_at)),
        ),
        ("status", json!("received")),
        ("avinode_quote_id", json!(projection.quote)),
        ("metadata", json!({"source": "avinode-ingest"})),
    ]);
    for ProjectedValue { column, key, value, .. } in values.iter().filter(|value| !value.value.is_null()) {
        match key {
            None => row.insert(column, value.clone()),
            Some(key) => {
                let object = row.entry(column).or_insert_with(|| json!({}));
                object
                    .as_object_mut()
                    .and_then(|object| object.insert((*key).to_owned(), value.clone()))
            }
        };
    }
    row
}

/// The record of the values of a new row.
pub(super) fn record(values: &[ProjectedValue]) -> Map<String, Value> {
    values.iter().map(|value| (value.name(), value.recorded())).collect()
}
