//! Times to the second, durations, counts, and stored texts.

use chrono::{DateTime, SecondsFormat, Utc};
use maud::{Markup, html};

use crate::domain::terminal_text::is_unsafe;
use crate::http::console::format::age;

/// A time with its age.
pub fn moment(at: DateTime<Utc>, now: DateTime<Utc>) -> Markup {
    html! {
        time datetime=(at.to_rfc3339_opts(SecondsFormat::Millis, true)) { (at.format("%Y-%m-%d %H:%M:%S UTC")) }
        " " span.quiet { "(" (age(Some(at), now)) ")" }
    }
}

/// A stored text in full. Characters that would change the text around them are shown by their numbers; maud escapes the rest.
pub fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => visible.push(c),
            c if is_unsafe(c) => visible.extend(c.escape_default()),
            c => visible.push(c),
        }
    }
    visible
}

/// Seconds, or milliseconds below one.
pub fn duration(seconds: f64) -> String {
    match seconds {
        ..1.0 => format!("{:.0} ms", seconds * 1_000.0),
        1.0..120.0 => format!("{seconds:.1} s"),
        120.0..7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3_600.0),
    }
}

/// A count with thousands apart.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests;
