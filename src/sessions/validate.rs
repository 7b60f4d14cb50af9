//! Validation of values beyond their types: lengths, characters, bounds.

use serde_json::{Map, Value};

use super::error::SessionError;
use crate::domain::ids::{MAX_ID_BYTES, TripId};

const MAX_STEP_BYTES: usize = 200;

/// Returns a trip id as written, without surrounding white space.
///
/// # Errors
/// The text is not a trip id.
pub fn trip_id(field: &'static str, text: &str) -> Result<String, SessionError> {
    TripId::parse(text).map_err(|error| SessionError::invalid(field, format!("is not a trip id: {error}")))?;
    Ok(text.trim().to_owned())
}

/// Returns any other id, without surrounding white space.
///
/// # Errors
/// The text is empty, too long or contains control characters.
pub fn id(field: &'static str, text: &str) -> Result<String, SessionError> {
    short_text(field, text.trim(), MAX_ID_BYTES)
}

/// Returns a workflow step, which may be any word.
///
/// # Errors
/// The text is empty, too long or contains control characters.
pub fn step(text: &str) -> Result<String, SessionError> {
    short_text("current_step", text.trim(), MAX_STEP_BYTES)
}

fn short_text(field: &'static str, text: &str, max: usize) -> Result<String, SessionError> {
    if text.is_empty() {
        return Err(SessionError::invalid(field, "is empty"));
    }
    if text.len() > max {
        return Err(SessionError::invalid(
            field,
            format!("has {} bytes, more than the maximum of {max}", text.len()),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(SessionError::invalid(field, "contains a control character"));
    }
    Ok(text.to_owned())
}

/// Checks an object for a `jsonb` column.
///
/// # Errors
/// A text or key contains U+0000, which `jsonb` cannot store.
pub fn object(field: &'static str, object: &Map<String, Value>) -> Result<(), SessionError> {
    match object
        .iter()
        .any(|(key, value)| key.contains('\0') || contains_nul(value))
    {
        true => Err(SessionError::invalid(
            field,
            "contains the character U+0000, which Postgres cannot store",
        )),
        false => Ok(()),
    }
}

fn contains_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(contains_nul),
        Value::Object(object) => object
            .iter()
            .any(|(key, value)| key.contains('\0') || contains_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Checks a count.
///
/// # Errors
/// The count is negative.
pub fn count(field: &'static str, count: i32) -> Result<i32, SessionError> {
    match count {
        0.. => Ok(count),
        _ => Err(SessionError::invalid(field, "is negative")),
    }
}

/// Applies a check to an optional value.
///
/// # Errors
/// Those of the check.
pub fn optional<T: ?Sized, U>(
    value: Option<&T>,
    check: impl FnOnce(&T) -> Result<U, SessionError>,
) -> Result<Option<U>, SessionError> {
    value.map(check).transpose()
}

#[cfg(test)]
mod tests;
