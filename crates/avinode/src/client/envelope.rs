//! The envelope of Avinode's responses: `data`, and `meta` with `errors`, `warnings` and `infos`. A 200 with any
//! `meta.errors` is a failure.

use serde_json::Value;

use crate::json::{self, JsonError, text_at};
use crate::sanitize;

/// The most errors of one response that are quoted.
const MAX_ERRORS: usize = 3;
/// The most characters of a quoted text.
const MAX_CHARS: usize = 100;

/// One of `meta.errors`, made printable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    title: Option<String>,
    code: Option<String>,
}

impl ApiError {
    fn read(error: &Value) -> Self {
        let printable = |key| {
            let text = sanitize::printable(&text_at(error, &[key])?, MAX_CHARS);
            (!text.is_empty()).then_some(text)
        };
        match error {
            Value::String(title) => Self {
                title: Some(sanitize::printable(title, MAX_CHARS)),
                code: None,
            },
            _ => Self {
                title: printable("title").or_else(|| printable("message")),
                code: printable("code"),
            },
        }
    }

    /// The code, if it is an HTTP status of a failure.
    pub(super) fn status(&self) -> Option<u16> {
        let code: u16 = self.code.as_ref()?.parse().ok()?;
        (400..600).contains(&code).then_some(code)
    }
}

#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Envelope {
    /// `None` if `data` is missing or null.
    pub(super) data: Option<Value>,
    /// `meta.errors`, the first ones.
    pub(super) errors: Vec<ApiError>,
    /// The body is a resource without its envelope: it has an `id` or `href` in the place of `data`.
    pub(super) is_bare: bool,
}

impl Envelope {
    /// Parses a body. JSON other than an object is an envelope without data.
    pub(super) fn read(body: &[u8]) -> Result<Self, JsonError> {
        let mut value = json::read(body)?;
        let errors = match value.pointer("/meta/errors") {
            None | Some(Value::Null | Value::Bool(false)) => Vec::new(),
            Some(Value::Array(errors)) => errors.iter().take(MAX_ERRORS).map(ApiError::read).collect(),
            Some(Value::Object(error)) if error.is_empty() => Vec::new(),
            Some(Value::String(error)) if error.trim().is_empty() => Vec::new(),
            // Not as documented, and not "no errors".
            Some(error) => vec![ApiError::read(error)],
        };
        let data = value.get_mut("data").map(Value::take).filter(|data| !data.is_null());
        let is_bare = data.is_none() && (value.get("id").is_some() || value.get("href").is_some());
        Ok(Self { data, errors, is_bare })
    }
}

/// The errors as text: `"The trip is locked" (423), "…" (…)`; empty if there are none.
pub(super) fn quoted(errors: &[ApiError]) -> String {
    let one = |error: &ApiError| match (&error.title, &error.code) {
        (Some(title), Some(code)) => format!("\"{title}\" ({code})"),
        (Some(title), None) => format!("\"{title}\""),
        (None, Some(code)) => format!("code {code}"),
        (None, None) => "an error without title and code".to_owned(),
    };
    errors.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
