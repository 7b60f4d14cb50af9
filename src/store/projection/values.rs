//! What a fact comes to in the columns of `quotes`, and what is remembered of having written it.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::column_ownership::OwnedColumns;
use crate::domain::quote::ReceivedQuote;

/// A fact's values for the columns of `quotes`.
pub(super) struct ProjectedColumns {
    pub(super) operator_id: String,
    pub(super) operator_name: String,
    pub(super) price: Decimal,
    pub(super) aircraft_type: String,
    pub(super) aircraft_tail_number: Option<String>,
    pub(super) valid_until: Option<DateTime<Utc>>,
    pub(super) metadata: Value,
}

impl ProjectedColumns {
    /// What a fact comes to in columns that the application may demand: what is not known is called so.
    pub(super) fn of(fact: &ReceivedQuote, price: Decimal) -> Self {
        let details = &fact.details;
        let unknown = || "unknown".to_owned();
        Self {
            operator_id: details
                .operator
                .id
                .clone()
                .or(details.operator.name.clone())
                .unwrap_or_else(unknown),
            operator_name: details
                .operator
                .name
                .clone()
                .or(details.operator.id.clone())
                .unwrap_or_else(unknown),
            price,
            aircraft_type: details.aircraft_type.clone().unwrap_or_else(unknown),
            aircraft_tail_number: details.aircraft_tail.clone(),
            valid_until: details.valid_until,
            metadata: json!({
                "source": "avinode-ingest",
                "currency": details.price.as_ref().map(|price| price.currency.clone()),
            }),
        }
    }

    /// What is compared before the next overwriting: the columns that are ours. Prices as text: they are decimal.
    pub(super) fn remembered(&self, ours: &OwnedColumns) -> Value {
        let price = self.price.to_string();
        let columns = [
            ("operator_id", ours.operator_id, json!(self.operator_id)),
            ("operator_name", ours.operator_name, json!(self.operator_name)),
            ("base_price", ours.base_price, json!(price)),
            ("total_price", ours.total_price, json!(price)),
            ("aircraft_type", ours.aircraft_type, json!(self.aircraft_type)),
            (
                "aircraft_tail_number",
                ours.aircraft_tail_number,
                json!(self.aircraft_tail_number),
            ),
            ("valid_until", ours.valid_until, json!(self.valid_until)),
        ];
        let kept = columns.into_iter().filter(|(_, is_ours, _)| *is_ours);
        Value::Object(kept.map(|(column, _, value)| (column.to_owned(), value)).collect())
    }
}
