//! The values of a quote for the columns of `quotes`, and the record of the values that we wrote.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::QuoteProjection;

/// The application may require a value, so an unknown one is `unknown`.
const UNKNOWN: &str = "unknown";

pub(super) struct ProjectedColumns<'a> {
    pub(super) operator_id: &'a str,
    pub(super) operator_name: &'a str,
    pub(super) price: Decimal,
    currency: Option<&'a str>,
    pub(super) aircraft_type: &'a str,
    pub(super) aircraft_tail_number: Option<&'a str>,
    pub(super) valid_until: Option<DateTime<Utc>>,
}

impl<'a> ProjectedColumns<'a> {
    pub(super) fn new(projection: &QuoteProjection<'a>) -> Self {
        let details = &projection.facts.details;
        let (id, name) = (details.operator.id.as_deref(), details.operator.name.as_deref());
        Self {
            operator_id: id.or(name).unwrap_or(UNKNOWN),
            operator_name: name.or(id).unwrap_or(UNKNOWN),
            price: projection.price,
            currency: details.price.as_ref().map(|price| price.currency.as_str()),
            aircraft_type: details.aircraft_type.as_deref().unwrap_or(UNKNOWN),
            aircraft_tail_number: details.aircraft_tail.as_deref(),
            valid_until: details.valid_until,
        }
    }

    pub(super) fn metadata(&self) -> Value {
        json!({"source": "avinode-ingest", "currency": self.currency})
    }

    /// The values by column, to compare with the row before the next update. Prices are text: they are decimal.
    pub(super) fn to_json(&self) -> Value {
        let price = self.price.to_string();
        json!({
            "operator_id": self.operator_id,
            "operator_name": self.operator_name,
            "base_price": price,
            "total_price": price,
            "aircraft_type": self.aircraft_type,
            "aircraft_tail_number": self.aircraft_tail_number,
            "valid_until": self.valid_until,
        })
    }
}
