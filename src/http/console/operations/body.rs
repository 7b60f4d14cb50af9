//! A stored body: JSON with line breaks, other text as it is, other bytes as base64.

use maud::{Markup, html};

use super::pretty_json::pretty;
use super::text::count;
use crate::admin::stored_body::StoredBody;
use crate::domain::terminal_text::visible_lines;

/// Characters of a body in a page.
const SHOWN: usize = 200_000;

pub fn body(stored: &StoredBody) -> Markup {
    let bytes = i64::try_from(stored.bytes().len()).unwrap_or(i64::MAX);
    let (text, form) = match stored {
        StoredBody::Text(text) => match pretty(text) {
            Some(pretty) => (pretty, "JSON"),
            None => (text.clone(), "no JSON"),
        },
        StoredBody::Base64(text) => (text.clone(), "no UTF-8, in base64"),
    };
    let end = text.char_indices().nth(SHOWN).map_or(text.len(), |(end, _)| end);
    html! {
        p.quiet {
            (count(bytes)) " bytes, " (form)
            @if end < text.len() { "; the first " (count(i64::try_from(SHOWN).unwrap_or(i64::MAX))) " characters" }
        }
        pre.body tabindex="0" role="region" aria-label="Body" { (visible_lines(&text[..end])) }
    }
}
