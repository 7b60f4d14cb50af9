//! Timestamps as senders write them. Lenient in form and strict in meaning: a time that would have to be guessed is none.

use chrono::{DateTime, Datelike as _, NaiveDateTime, Utc};

/// The forms of ISO 8601 that are read, after `t`, `z` and a space before the offset have been put in order. `%.f` takes
/// any number of digits, also none.
const WITH_OFFSET: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
const WITHOUT_ZONE: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];

/// Reads a date and time: with `Z` or an offset, or without zone, which is taken as UTC; cut to whole microseconds, as
/// Postgres keeps it, so that a time compares the same before and after it is stored.
///
/// `None` for anything else: a date alone (which hour?), and years outside 1970 to 9999 (`0001-01-01` is .NET's word for
/// "missing"; as a quote's end it would mean "expired for ever").
pub(super) fn lenient(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    // The longest sensible form has 35 characters; nothing else is worth trying.
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    let mut text = text.to_ascii_uppercase();
    // `2026-01-31 10:00:00`: the other separator people use.
    if text.as_bytes().get(10) == Some(&b' ') {
        text.replace_range(10..11, "T");
    }
    text.retain(|character| character != ' ');
    let offset = WITH_OFFSET
        .iter()
        .find_map(|form| DateTime::parse_from_str(&text, form).ok());
    let moment = match offset {
        Some(moment) => moment.to_utc(),
        None => WITHOUT_ZONE
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())?
            .and_utc(),
    };
    // Through whole microseconds: also turns a leap second (:60) into the second that Postgres would make of it.
    DateTime::from_timestamp_micros(moment.timestamp_micros()).filter(|moment| (1970..=9999).contains(&moment.year()))
}

#[cfg(test)]
mod tests;
