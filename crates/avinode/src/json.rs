//! JSON from outside: [`check`] verifies that bytes are JSON, [`read`] makes a value of them that Postgres can store. Two
//! steps, since every JSON body is received, even one that is nested too deeply to be read.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::error::Category;

/// The bytes are not JSON (RFC 8259) in UTF-8.
#[derive(Debug, thiserror::Error)]
pub enum JsonSyntaxError {
    #[error("reading the body as JSON: it is not UTF-8 (at byte {})", .0.valid_up_to())]
    Utf8(#[from] std::str::Utf8Error),
    /// The error contains the position and the expected syntax, not the content.
    #[error("reading the body as JSON")]
    Syntax(#[from] serde_json::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    #[error(transparent)]
    NotJson(#[from] JsonSyntaxError),
    #[error("reading the body as JSON: it is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// The deepest nesting that [`read`] accepts: serde_json's own limit, below which neither reading nor dropping a value can
/// overflow a stack.
pub const MAX_DEPTH: usize = 127;

/// Checks that the bytes are JSON: of any depth, with numbers of any size, and with unpaired surrogate escapes. Iterative
/// (serde_json skips values with a heap-allocated stack), so no nesting can overflow the thread's stack.
///
/// # Errors
/// The first syntax error and its position.
pub fn check(bytes: &[u8]) -> Result<(), JsonSyntaxError> {
    serde_json::from_str::<IgnoredAny>(text(bytes)?)?;
    Ok(())
}

/// Reads JSON into a value: the last of duplicate keys wins, numbers keep their digits, and escapes that Postgres' `text` and
/// `jsonb` refuse (`\u0000`, an unpaired surrogate) become U+FFFD.
///
/// # Errors
/// Not JSON, or nested deeper than [`MAX_DEPTH`].
pub fn read(bytes: &[u8]) -> Result<Value, JsonError> {
    serde_json::from_str(&replace_invalid_escapes(text(bytes)?)).map_err(|error| {
        // serde_json has no category for its recursion limit. A syntax error in a body that passes `check` can only be that:
        // invalid escapes are replaced, and an object that imitates serde_json's own big numbers is a data error.
        if error.classify() == Category::Syntax && check(bytes).is_ok() {
            JsonError::TooDeep
        } else {
            JsonError::NotJson(error.into())
        }
    })
}

/// The text at a path of keys: a string or a number's digits, trimmed; `None` if empty or anything else.
pub fn text_at<'v>(value: &'v Value, path: &[&str]) -> Option<Cow<'v, str>> {
    let found = path.iter().try_fold(value, |value, key| value.get(key))?;
    let text = match found {
        Value::String(text) => Cow::Borrowed(text.trim()),
        Value::Number(number) => Cow::Owned(number.to_string()),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// The number at a path of keys if it is not whole (`7015.0`, `7e3`). Such a number is no id: the same id has other digits when
/// its sender writes it as a whole number.
pub(crate) fn fractional_at(value: &Value, path: &[&str]) -> Option<String> {
    let found = path.iter().try_fold(value, |value, key| value.get(key))?;
    let number = found.as_number()?.to_string();
    let is_whole = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    (!is_whole).then(|| number.chars().take(40).collect())
}

/// The bytes as UTF-8, without the byte order mark, which RFC 8259 allows a reader to ignore.
fn text(bytes: &[u8]) -> Result<&str, JsonSyntaxError> {
    let text = std::str::from_utf8(bytes)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Replaces escapes of characters that Postgres refuses. In JSON a backslash occurs in strings only, so the strings need not
/// be located; the parser refuses everything that is not JSON.
fn replace_invalid_escapes(text: &str) -> Cow<'_, str> {
    const REPLACEMENT: &str = "\\ufffd";
    let mut replaced = String::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(found) = text[at..].find('\\') {
        let here = at + found;
        let Some(unit) = escape(text, here) else {
            // Skips both characters of `\\`, `\"` and so on: otherwise the second backslash of `\\u0000` would begin an
            // escape.
            at = here + 1 + text[here + 1..].chars().next().map_or(0, char::len_utf8);
            continue;
        };
        at = here + 6;
        match unit {
            0xd800..=0xdbff if matches!(escape(text, at), Some(0xdc00..=0xdfff)) => at += 6,
            0 | 0xd800..=0xdfff => {
                replaced.push_str(&text[kept..here]);
                replaced.push_str(REPLACEMENT);
                kept = at;
            }
            _ => {}
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    replaced.push_str(&text[kept..]);
    Cow::Owned(replaced)
}

/// The UTF-16 unit of a `\uXXXX` at this position.
fn escape(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    // Digits only: `from_str_radix` accepts a sign.
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests;
