//! Properties that were sent and not understood. They are never treated as not sent: the job's outcome, the log and `check`
//! name each with its value.

use std::fmt;

use serde_json::Value;

use super::sanitize;

/// The longest value shown, in characters.
const MAX_CHARS: usize = 80;
/// The most properties of one delivery or document: the first ones are enough to recognise the form.
const MAX_PROPERTIES: usize = 8;

/// Displayed as `data.quote.validUntil "tomorrow"`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadProperty {
    /// The path of the property.
    pub name: String,
    /// The value, printable and cut. A text is without its quotes.
    pub value: String,
}

impl UnreadProperty {
    /// A property with this value; `None` for a value that says nothing: null, an empty text, list or object.
    pub(crate) fn of(name: &str, value: &Value) -> Option<Self> {
        let text = match value {
            Value::Null => return None,
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let value = sanitize::printable(&text, MAX_CHARS);
        (!matches!(value.as_str(), "" | "[]" | "{}")).then(|| Self {
            name: name.to_owned(),
            value,
        })
    }

    /// The same property, named from the outside of the object that contains it.
    pub(crate) fn within(mut self, object: &str) -> Self {
        self.name = format!("{object}.{}", self.name);
        self
    }
}

impl fmt::Display for UnreadProperty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} \"{}\"", self.name, self.value)
    }
}

/// Adds properties, each once and at most a few.
pub(crate) fn add(found: &mut Vec<UnreadProperty>, new: impl IntoIterator<Item = UnreadProperty>) {
    for property in new {
        if found.len() < MAX_PROPERTIES && !found.contains(&property) {
            found.push(property);
        }
    }
}
