//! Validation of values beyond their types: lengths, characters, bounds.

use serde_json::Value;

use super::error::SessionError;
use crate::domain::ids::{MAX_ID_BYTES, TripId};
use crate::domain::storable_json;

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

/// Checks a complete document for a `jsonb` column.
///
/// # Errors
/// `jsonb` cannot store the document within the bounds of [`storable_json`].
pub fn document(field: &'static str, document: &Value) -> Result<(), SessionError> {
    storable_json::check(document).map_err(|error| SessionError::invalid(field, error.to_string()))
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
