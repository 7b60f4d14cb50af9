//! Texts for people (names, reasons, aircraft): bounded and printable, so that no column, table or terminal minds them.

use serde_json::Value;

use super::json::text_at;

/// The most characters kept of a text. Longer ones are cut: they are shown, never compared.
const MAX_CHARS: usize = 500;

/// The text at a path, printable; `None` when nothing is left of it.
pub(super) fn shown_at(value: &Value, path: &[&str]) -> Option<String> {
    let text = shown(&text_at(value, path)?, MAX_CHARS);
    (!text.is_empty()).then_some(text)
}

/// A text without control characters, cut to so many characters, trimmed.
pub(super) fn shown(text: &str, max_chars: usize) -> String {
    let printable: String = text
        .chars()
        .filter(|character| !character.is_control())
        .take(max_chars)
        .collect();
    printable.trim().to_owned()
}

#[cfg(test)]
mod tests;
