//! The values of a quote for the columns of `quotes`, and the record of the values that we wrote.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::column_ownership::OwnedColumns;
use crate::domain::quote::ReceivedQuote;

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
    /// The application may require a value, so an unknown one is `unknown`.
    pub(super) fn new(quote: &ReceivedQuote, price: Decimal) -> Self {
        let details = &quote.details;
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

    /// The values of the owned columns, to compare with the row before the next update. Prices are text: they are decimal.
    pub(super) fn owned_values(&self, owned: &OwnedColumns) -> Value {
        let OwnedColumns {
            operator_id,
            operator_name,
            base_price,
            total_price,
            aircraft_type,
            aircraft_tail_number,
            valid_until,
        } = *owned;
        let price = self.price.to_string();
        let columns = [
            ("operator_id", operator_id, json!(self.operator_id)),
            ("operator_name", operator_name, json!(self.operator_name)),
            ("base_price", base_price, json!(price)),
            ("total_price", total_price, json!(price)),
            ("aircraft_type", aircraft_type, json!(self.aircraft_type)),
            (
                "aircraft_tail_number",
                aircraft_tail_number,
                json!(self.aircraft_tail_number),
            ),
            ("valid_until", valid_until, json!(self.valid_until)),
        ];
        let owned = columns.into_iter().filter(|(_, is_owned, _)| *is_owned);
        Value::Object(owned.map(|(column, _, value)| (column.to_owned(), value)).collect())
    }
}
