//! Colours of state words: green where work is done, yellow where it waits for something, red where it failed. Nothing else is coloured.

use anstyle::{AnsiColor, Style};

/// Colours a state word; `text` may have spaces around it.
pub fn state(text: &str, has_colour: bool) -> String {
    match style(text.trim()).filter(|_| has_colour) {
        Some(style) => format!("{style}{text}{style:#}"),
        None => text.to_owned(),
    }
}

fn style(word: &str) -> Option<Style> {
    let colour = match word {
        "applied" | "active" | "counted" | "ok" | "yes" | "✓" => AnsiColor::Green,
        "running" | "available" => AnsiColor::Cyan,
        "retryable" | "queued" | "gone" | "paused" | "withheld" | "warning" | "no" => AnsiColor::Yellow,
        "dead" | "refused" | "failed" | "FAILED" | "✗" => AnsiColor::Red,
        _ => return None,
    };
    Some(colour.on_default())
}
