//! Reads ids out of JSON.

use serde_json::Value;

use super::json::{self, text_at};
use super::parse_error::ParseError;
use ingest_domain::ids::IdError;

/// The id at a path; `None` if it is missing, empty, or neither text nor number.
pub(super) fn id_at<Id>(
    value: &Value,
    path: &[&str],
    name: &'static str,
    parse: fn(&str) -> Result<Id, IdError>,
) -> Result<Option<Id>, ParseError> {
    if let Some(value) = json::fractional_at(value, path) {
        let name = name.to_owned();
        return Err(ParseError::FractionalId { name, value });
    }
    let id = text_at(value, path).map(|text| parse(&text)).transpose();
    id.map_err(|why| ParseError::BadId { name, why })
}
