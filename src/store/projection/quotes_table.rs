//! The application's table of quotes, as far as new rows need it.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

#[derive(Debug, Default)]
pub(super) struct QuotesTable {
    /// The rows of the wanted quotes, by quote id.
    pub(super) existing: BTreeMap<String, Uuid>,
    /// By name. An older application may lack some of the columns.
    pub(super) columns: BTreeMap<String, QuotesColumn>,
}

#[derive(Debug)]
pub(super) struct QuotesColumn {
    /// As SQL has it, without a length or precision: with one, a cast would cut off what is too long.
    pub(super) type_name: String,
    /// Of the type `json` or `jsonb`, or a domain over one.
    pub(super) is_json: bool,
}

impl QuotesColumn {
    /// A value in the form that the column's type reads.
    pub(super) fn text(&self, value: Value) -> String {
        match value {
            Value::String(text) if !self.is_json => text,
            value => value.to_string(),
        }
    }
}
