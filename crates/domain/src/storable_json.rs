//! Bounds of JSON for a `jsonb` column. `jsonb` stores a number with a huge exponent in a few bytes and writes all of its digits:
//! 1,000 times `1e131071` have 9 kB in a request and 131 MB in every response.

use serde_json::{Number, Value};

/// The most characters of a number, and its greatest exponent.
pub const MAX_NUMBER: usize = 128;
/// The most levels of nested arrays and objects.
pub const MAX_DEPTH: usize = 64;
/// The most bytes of the text of a document.
pub const MAX_BYTES: usize = 256 * 1024;

/// The reason why a value is not stored; continues a sentence that begins with the name of the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UnstorableJson {
    #[error("contains the character U+0000, which Postgres cannot store")]
    NulCharacter,
    #[error("contains a number with more than {MAX_NUMBER} characters, or with an exponent beyond {MAX_NUMBER}")]
    Number,
    #[error("is nested more than {MAX_DEPTH} deep")]
    Depth,
    #[error("has more than {MAX_BYTES} bytes")]
    Length,
}

/// Checks a value.
///
/// # Errors
/// `jsonb` cannot store the value, or not within the bounds.
pub fn check(value: &Value) -> Result<(), UnstorableJson> {
    match text_length(value, MAX_DEPTH)? {
        0..=MAX_BYTES => Ok(()),
        _ => Err(UnstorableJson::Length),
    }
}

/// The bytes of the text that Postgres writes for a value, or somewhat more.
fn text_length(value: &Value, depth_left: usize) -> Result<usize, UnstorableJson> {
    let inner = || depth_left.checked_sub(1).ok_or(UnstorableJson::Depth);
    Ok(match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(number) => number_length(number)?,
        Value::String(text) => quoted_length(text)?,
        Value::Array(items) => {
            let mut length = 2;
            for item in items {
                length += 2 + text_length(item, inner()?)?;
            }
            length
        }
        Value::Object(object) => {
            let mut length = 2;
            for (key, item) in object {
                length += 4 + quoted_length(key)? + text_length(item, inner()?)?;
            }
            length
        }
    })
}

fn number_length(number: &Number) -> Result<usize, UnstorableJson> {
    let text = number.to_string();
    let (_, exponent) = split_exponent(&text).ok_or(UnstorableJson::Number)?;
    let zeros = usize::try_from(exponent.unsigned_abs()).map_err(|_| UnstorableJson::Number)?;
    match text.len() <= MAX_NUMBER && zeros <= MAX_NUMBER {
        true => Ok(text.len() + zeros),
        false => Err(UnstorableJson::Number),
    }
}

/// A control character is written as an escape of up to six bytes.
fn quoted_length(text: &str) -> Result<usize, UnstorableJson> {
    if text.contains('\0') {
        return Err(UnstorableJson::NulCharacter);
    }
    let escapes = text.bytes().map(|byte| match byte {
        0..0x20 => 5,
        b'"' | b'\\' => 1,
        _ => 0,
    });
    Ok(text.len() + 2 + escapes.sum::<usize>())
}

/// Splits the text of a number into its mantissa and its exponent; `None` for an exponent beyond all bounds.
pub fn split_exponent(number: &str) -> Option<(&str, i64)> {
    match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => Some((mantissa, exponent.parse().ok()?)),
        None => Some((number, 0)),
    }
}

#[cfg(test)]
mod tests;
