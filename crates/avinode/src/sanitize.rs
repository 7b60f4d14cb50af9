//! Makes texts for people (names, reasons, aircraft) short and printable, safe for a column, a table or a terminal.

use serde_json::Value;

use super::json::text_at;

/// Longer texts are cut: they are displayed, never compared.
const MAX_CHARS: usize = 500;
/// A longer message is cut.
const MAX_MESSAGE_CHARS: usize = 4_000;
/// The longest text of a message in a timeline; the whole text stays in the stored delivery or document.
const MAX_TIMELINE_CHARS: usize = 2_000;

/// The printable text at a path; `None` if nothing of it is printable.
pub(super) fn printable_at(value: &Value, path: &[&str]) -> Option<String> {
    let text = printable(&text_at(value, path)?, MAX_CHARS);
    (!text.is_empty()).then_some(text)
}

/// The text of a chat message, in `message` or `content`: on one line, printable and bounded. Both are printable texts only if
/// they are texts: a relay's `message` may be the object that contains the text.
pub(super) fn message_text(message: &Value) -> Option<String> {
    ["message", "content"].iter().find_map(|key| {
        let one_line = text_at(message, &[key])?
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let text = printable(&one_line, MAX_TIMELINE_CHARS);
        (!text.is_empty()).then_some(text)
    })
}

/// The printable text of several lines at a path; `None` if nothing of it is printable.
pub(super) fn paragraphs_at(value: &Value, path: &[&str]) -> Option<String> {
    let lines: Vec<String> = text_at(value, path)?
        .chars()
        .take(MAX_MESSAGE_CHARS)
        .collect::<String>()
        .lines()
        .map(|line| printable(&line.replace('\t', " "), MAX_MESSAGE_CHARS))
        .collect();
    let text = lines.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// Removes control characters, cuts the text to `max_chars` and trims it.
pub(super) fn printable(text: &str, max_chars: usize) -> String {
    let printable: String = text
        .chars()
        .filter(|character| !character.is_control())
        .take(max_chars)
        .collect();
    printable.trim().to_owned()
}

#[cfg(test)]
mod tests;
