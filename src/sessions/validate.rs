//! Checks of what a caller says that its type does not hold: lengths, characters, bounds.

use serde_json::{Map, Value};

use super::error::SessionError;
use crate::domain::ids::{MAX_ID_BYTES, TripId};

/// The longest step, in bytes.
const MAX_STEP_BYTES: usize = 200;

fn refused(field: &'static str, why: impl Into<String>) -> SessionError {
    SessionError::Refused { field, why: why.into() }
}

/// A trip id as it is to be stored: as written, without white space around it.
///
/// # Errors
/// It is no id.
pub fn trip_id(field: &'static str, text: &str) -> Result<String, SessionError> {
    TripId::parse(text).map_err(|error| refused(field, format!("is no trip id: {error}")))?;
    Ok(text.trim().to_owned())
}

/// Any other id, without white space around it.
///
/// # Errors
/// It is empty, too long or holds control characters.
pub fn id(field: &'static str, text: &str) -> Result<String, SessionError> {
    short(field, text.trim(), MAX_ID_BYTES)
}

/// A step, any word.
///
/// # Errors
/// It is empty, too long or holds control characters.
pub fn step(text: &str) -> Result<String, SessionError> {
    short("current_step", text.trim(), MAX_STEP_BYTES)
}

fn short(field: &'static str, text: &str, most: usize) -> Result<String, SessionError> {
    if text.is_empty() {
        return Err(refused(field, "is empty"));
    }
    if text.len() > most {
        return Err(refused(
            field,
            format!("is {} bytes long; at most {most} are taken", text.len()),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(refused(field, "holds a control character"));
    }
    Ok(text.to_owned())
}

/// An object for a `jsonb` column, which holds no NUL.
///
/// # Errors
/// A text or a key in it does.
pub fn object(field: &'static str, object: &Map<String, Value>) -> Result<(), SessionError> {
    let mut left: Vec<&Value> = Vec::new();
    let mut texts: Vec<&str> = object.keys().map(String::as_str).collect();
    left.extend(object.values());
    while let Some(value) = left.pop() {
        match value {
            Value::String(text) => texts.push(text),
            Value::Array(values) => left.extend(values),
            Value::Object(inner) => {
                texts.extend(inner.keys().map(String::as_str));
                left.extend(inner.values());
            }
            _ => {}
        }
    }
    match texts.iter().any(|text| text.contains('\0')) {
        true => Err(refused(
            field,
            "holds the character U+0000, which Postgres does not keep",
        )),
        false => Ok(()),
    }
}

/// A count: 0 or more.
///
/// # Errors
/// It is negative.
pub fn count(field: &'static str, count: i32) -> Result<i32, SessionError> {
    match count {
        0.. => Ok(count),
        _ => Err(refused(field, "is below 0")),
    }
}

/// What is checked where it is given.
///
/// # Errors
/// Those of the check.
pub fn given<T: ?Sized, U>(
    value: Option<&T>,
    check: impl FnOnce(&T) -> Result<U, SessionError>,
) -> Result<Option<U>, SessionError> {
    value.map(check).transpose()
}

#[cfg(test)]
mod tests;
