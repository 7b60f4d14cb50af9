//! JSON from outside: [`check`] tells whether bytes are JSON at all, [`read`] makes a value of them that Postgres can
//! keep. Two steps, since every JSON body is received, even one that no reader of ours can take in.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Value;
use serde_json::error::Category;

/// The bytes are not JSON (RFC 8259) in UTF-8.
#[derive(Debug, thiserror::Error)]
pub enum JsonSyntaxError {
    /// Not UTF-8.
    #[error("reading the body as JSON: it is not UTF-8 (at byte {})", .0.valid_up_to())]
    Utf8(#[from] std::str::Utf8Error),
    /// Not JSON; the error tells the place and what was expected there, not the content.
    #[error("reading the body as JSON")]
    Syntax(#[from] serde_json::Error),
}

/// Why JSON cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum JsonError {
    /// It is not JSON.
    #[error(transparent)]
    NotJson(#[from] JsonSyntaxError),
    /// It nests deeper than [`MAX_DEPTH`].
    #[error("reading the body: it is nested deeper than {MAX_DEPTH} levels")]
    TooDeep,
}

/// How deep [`read`] follows nesting: serde_json's own limit, below which neither reading nor dropping a value can
/// overflow a stack.
pub const MAX_DEPTH: usize = 127;

/// Checks that the bytes are JSON, of any depth, any size of number, with escapes of half a character or none.
/// Iterative (serde_json skips values with a heap-allocated stack), so no nesting can overflow the thread's stack.
///
/// # Errors
/// What is wrong, and where.
pub fn check(bytes: &[u8]) -> Result<(), JsonSyntaxError> {
    serde_json::from_str::<IgnoredAny>(text(bytes)?)?;
    Ok(())
}

/// Reads JSON into a value: of duplicate keys the last wins, numbers keep their digits, and escapes that Postgres'
/// `text` and `jsonb` refuse (`\u0000`, half a surrogate pair) become U+FFFD.
///
/// # Errors
/// Not JSON, or nested deeper than [`MAX_DEPTH`].
pub fn read(bytes: &[u8]) -> Result<Value, JsonError> {
    serde_json::from_str(&mend_escapes(text(bytes)?)).map_err(|error| {
        // serde_json has no category for its recursion limit. What passes `check` and is a syntax error for it all the
        // same is nothing else: the escapes are mended, and the other stumbling block (an object made to look like
        // serde_json's own big number) is a data error.
        if error.classify() == Category::Syntax && check(bytes).is_ok() {
            JsonError::TooDeep
        } else {
            JsonError::NotJson(error.into())
        }
    })
}

/// The text at a path of keys: a string, or a number's digits; trimmed, `None` when empty or anything else.
pub fn text_at<'v>(value: &'v Value, path: &[&str]) -> Option<Cow<'v, str>> {
    let found = path.iter().try_fold(value, |value, key| value.get(key))?;
    let text = match found {
        Value::String(text) => Cow::Borrowed(text.trim()),
        Value::Number(number) => Cow::Owned(number.to_string()),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// UTF-8, without the byte order mark that RFC 8259 lets a reader ignore.
fn text(bytes: &[u8]) -> Result<&str, JsonSyntaxError> {
    let text = std::str::from_utf8(bytes)?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// Replaces escapes that stand for no character Postgres keeps. In JSON a backslash stands in strings only, so the
/// strings need not be found; what is not JSON is left for the parser to refuse.
fn mend_escapes(text: &str) -> Cow<'_, str> {
    const REPLACEMENT: &str = "\\ufffd";
    let mut mended = String::new();
    let (mut kept, mut at) = (0, 0);
    while let Some(found) = text[at..].find('\\') {
        let here = at + found;
        let Some(unit) = escape(text, here) else {
            // `\\`, `\"` and the like: both characters at once, or the second backslash of `\\u0000` begins an escape.
            at = here + 1 + text[here + 1..].chars().next().map_or(0, char::len_utf8);
            continue;
        };
        at = here + 6;
        match unit {
            0xd800..=0xdbff if matches!(escape(text, at), Some(0xdc00..=0xdfff)) => at += 6,
            0 | 0xd800..=0xdfff => {
                mended.push_str(&text[kept..here]);
                mended.push_str(REPLACEMENT);
                kept = at;
            }
            _ => {}
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    mended.push_str(&text[kept..]);
    Cow::Owned(mended)
}

/// The UTF-16 unit that a `\uXXXX` at this place stands for.
fn escape(text: &str, at: usize) -> Option<u16> {
    let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
    // Digits only: `from_str_radix` would take a sign as well.
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests;
