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
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        lenient(text).map(|moment| moment.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
    }

    #[test]
    fn every_usual_form_is_read() {
        for text in [
            "2026-01-31T10:00:00Z",
            "2026-01-31t10:00:00z",
            " 2026-01-31 10:00:00 ",
            "2026-01-31T10:00",
            "2026-01-31T10:00Z",
            "2026-01-31T12:00:00+02:00",
            "2026-01-31T12:00:00.000+0200",
            "2026-01-31 12:00:00 +02",
            "2026-01-31T04:30:00-05:30",
        ] {
            assert_eq!(read(text).as_deref(), Some("2026-01-31T10:00:00.000000Z"), "{text}");
        }
    }

    #[test]
    fn a_fraction_is_cut_to_microseconds_and_never_rounded() {
        assert_eq!(
            read("2026-01-31T10:00:00.9999999Z").as_deref(),
            Some("2026-01-31T10:00:00.999999Z")
        );
        assert_eq!(
            read("2026-01-31T10:00:00.12345678901234Z").as_deref(),
            Some("2026-01-31T10:00:00.123456Z")
        );
        assert_eq!(
            read("2016-12-31T23:59:60.5Z").as_deref(),
            Some("2017-01-01T00:00:00.500000Z")
        );
    }

    #[test]
    fn what_would_have_to_be_guessed_is_none() {
        for text in [
            "",
            "now",
            "2026-01-31",
            "31.01.2026 10:00",
            "1769853600",
            "2026-02-30T10:00:00Z",
            "2026-01-31T25:00:00Z",
            "0001-01-01T00:00:00",
            "+12026-01-31T10:00:00Z",
            "2026-01-31T10:00:00 CET",
            "2026-01-31T10:00:00ZZ",
            "２026-01-31T10:00:00Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(lenient(&format!("2026-01-31T10:00:00.{}Z", "1".repeat(100_000))), None);
    }
}
