//! Bodies of deliveries and documents.

use serde_json::Value;

use super::Redaction;
use super::person_text::PersonText;

/// Stands for a whole body. It is no event and no notification.
pub const REDACTED_BODY: &[u8] = br#"{"redacted":true}"#;

impl Redaction {
    /// The redacted body; `None` if nothing in it is redacted.
    ///
    /// Of a body that is JSON the strings that contain a person's text are replaced. Otherwise, and if the text is in a key or a
    /// number, the whole body is.
    pub fn body(&self, body: &[u8]) -> Option<Vec<u8>> {
        if body == REDACTED_BODY {
            return None;
        }
        let Self::Containing(person) = self else {
            return Some(REDACTED_BODY.to_vec());
        };
        let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
            return is_in_raw(person, body).then(|| REDACTED_BODY.to_vec());
        };
        let changed = self.strings(&mut value, &|_| false);
        if is_in_keys_or_numbers(person, &value) {
            return Some(REDACTED_BODY.to_vec());
        }
        // Another value of a repeated key is in the bytes alone.
        if !changed {
            return is_in_raw(person, body).then(|| REDACTED_BODY.to_vec());
        }
        Some(value.to_string().into_bytes())
    }
}

fn is_in_keys_or_numbers(person: &PersonText, value: &Value) -> bool {
    match value {
        Value::Number(number) => person.is_in(&number.to_string()),
        Value::Array(items) => items.iter().any(|item| is_in_keys_or_numbers(person, item)),
        Value::Object(object) => object
            .iter()
            .any(|(key, item)| person.is_in(key) || is_in_keys_or_numbers(person, item)),
        Value::Null | Value::Bool(_) | Value::String(_) => false,
    }
}

/// Also finds text with JSON escapes in what is not JSON.
fn is_in_raw(person: &PersonText, body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    person.is_in(&text) || (text.contains('\\') && person.is_in(&unescaped(&text)))
}

/// Replaces escapes such as `\u00e9`; pairs of surrogates as well.
fn unescaped(text: &str) -> String {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let hex = rest.strip_prefix("\\u").and_then(|after| after.get(..4));
        let unit = hex.and_then(|hex| u16::from_str_radix(hex, 16).ok());
        if let Some(unit) = unit {
            units.push(unit);
            rest = &rest[6..];
        } else {
            units.extend(first.encode_utf16(&mut [0; 2]).iter());
            rest = &rest[first.len_utf8()..];
        }
    }
    String::from_utf16_lossy(&units)
}
