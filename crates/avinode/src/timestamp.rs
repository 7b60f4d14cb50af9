//! Parses timestamps: lenient about the form, strict about the meaning. An ambiguous time is `None`.

use chrono::{DateTime, Datelike as _, NaiveDateTime, Utc};

/// The supported forms of ISO 8601, after normalizing `t`, `z` and a space before the offset. `%.f` accepts any number of
/// digits, also none.
const WITH_OFFSET: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"];
const WITHOUT_ZONE: [&str; 2] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M"];

/// Parses a date and time: with `Z` or an offset, or without zone, which means UTC. Cut to whole microseconds, as Postgres
/// stores it, so that a time compares the same before and after it is stored.
///
/// `None` for anything else: a date without a time, and years outside 1970 to 9999 (`0001-01-01` is .NET's default for a
/// missing time; as the end of a quote it would mean "expired for ever").
pub(super) fn lenient(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    // The longest supported form has 35 characters.
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    let mut text = text.to_ascii_uppercase();
    // `2026-01-31 10:00:00`: a common other separator.
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
    // Whole microseconds; this also turns a leap second (:60) into the second that Postgres makes of it.
    DateTime::from_timestamp_micros(moment.timestamp_micros()).filter(|moment| (1970..=9999).contains(&moment.year()))
}

#[cfg(test)]
mod tests;
