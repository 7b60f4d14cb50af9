//! Avinode's envelope: `data`, and `meta` with `errors`, `warnings` and `infos`. A 200 whose `meta.errors` holds anything
//! is a failure.

use serde_json::Value;

use crate::avinode::json::{self, JsonError, text_at};
use crate::avinode::sanitize;

/// The most errors of one answer that are quoted, and the most characters of each of their texts.
const QUOTED: usize = 3;
const QUOTED_CHARS: usize = 100;

/// One of `meta.errors`, made fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApiError {
    title: Option<String>,
    code: Option<String>,
}

impl ApiError {
    fn read(error: &Value) -> Self {
        let shown = |key| {
            let text = sanitize::shown(&text_at(error, &[key])?, QUOTED_CHARS);
            (!text.is_empty()).then_some(text)
        };
        match error {
            Value::String(title) => Self {
                title: Some(sanitize::shown(title, QUOTED_CHARS)),
                code: None,
            },
            _ => Self {
                title: shown("title").or_else(|| shown("message")),
                code: shown("code"),
            },
        }
    }

    /// The code, where it is a status of HTTP that tells a failure.
    pub(super) fn status(&self) -> Option<u16> {
        let code: u16 = self.code.as_ref()?.parse().ok()?;
        (400..600).contains(&code).then_some(code)
    }
}

/// An answer's content.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Envelope {
    /// `data`, unless it is missing or null.
    pub(super) data: Option<Value>,
    /// `meta.errors`, the first ones.
    pub(super) errors: Vec<ApiError>,
}

impl Envelope {
    /// Reads a body.
    ///
    /// # Errors
    /// It is not JSON, or nested too deeply. JSON that is no object is an envelope without data.
    pub(super) fn read(body: &[u8]) -> Result<Self, JsonError> {
        let mut value = json::read(body)?;
        let errors = match value.pointer("/meta/errors") {
            None | Some(Value::Null | Value::Bool(false)) => Vec::new(),
            Some(Value::Array(errors)) => errors.iter().take(QUOTED).map(ApiError::read).collect(),
            Some(Value::Object(error)) if error.is_empty() => Vec::new(),
            Some(Value::String(error)) if error.trim().is_empty() => Vec::new(),
            // Not as documented, and surely not "no errors".
            Some(error) => vec![ApiError::read(error)],
        };
        let data = value.get_mut("data").map(Value::take).filter(|data| !data.is_null());
        Ok(Self { data, errors })
    }
}

/// The errors in words: `"The trip is locked" (423), "…" (…)`; empty where there are none.
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
