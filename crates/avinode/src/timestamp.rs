//! Parses timestamps: lenient about the form, strict about the meaning. A time that would have to be guessed is `None`.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use serde_json::Value;

use super::json::text_at;
use super::unread_property::UnreadProperty;

/// The supported forms of ISO 8601, extended and basic, after normalizing `t`, `z`, `UTC` and a space before the offset. `%.f`
/// accepts any number of digits, also none.
const WITH_OFFSET: [&str; 4] = [
    "%Y-%m-%dT%H:%M:%S%.f%#z",
    "%Y-%m-%dT%H:%M%#z",
    "%Y%m%dT%H%M%S%.f%#z",
    "%Y%m%dT%H%M%#z",
];
const WITHOUT_ZONE: [&str; 4] = [
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y%m%dT%H%M%S%.f",
    "%Y%m%dT%H%M",
];
const DATES: [&str; 2] = ["%Y-%m-%d", "%Y%m%d"];

/// Other names of the offset zero.
const UTC_NAMES: [&str; 2] = ["UTC", "GMT"];

/// The time that .NET writes for a missing one.
const MISSING_TIME: &str = "0001-01-01";

/// Parses a date and time: ISO 8601 with an offset, or without a zone, which means UTC; RFC 2822 and RFC 1123; seconds (9 or 10
/// digits) or milliseconds (12 or 13 digits) since 1970. Cut to whole microseconds, as Postgres stores it, so that a time
/// compares the same before and after it is stored.
///
/// `None` for anything else: a date without a time, a zone's abbreviation other than UTC and GMT, and years outside 1970 to 9999
/// (`0001-01-01` is .NET's default for a missing time; as the end of a quote it would mean "expired for ever").
pub(super) fn lenient(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    // The longest supported form has about 40 characters.
    if text.len() > 64 || !text.is_ascii() {
        return None;
    }
    let moment = since_1970(text).or_else(|| iso(text)).or_else(|| rfc_2822(text))?;
    // Whole microseconds; this also turns a leap second (:60) into the second that Postgres makes of it.
    DateTime::from_timestamp_micros(moment.timestamp_micros()).filter(|moment| (1970..=9999).contains(&moment.year()))
}

/// Parses the end of a validity: a time, or a date alone, which ends with that day in UTC.
pub(super) fn end_of_validity(text: &str) -> Option<DateTime<Utc>> {
    lenient(text).or_else(|| {
        let date = DATES
            .iter()
            .find_map(|form| NaiveDate::parse_from_str(text.trim(), form).ok())
            .filter(|date| (1970..=9999).contains(&date.year()))?;
        let next_day = date.succ_opt()?.and_hms_opt(0, 0, 0)?.and_utc();
        Some(next_day - TimeDelta::microseconds(1))
    })
}

/// Returns the property `key` of an object if it was sent and `parse` does not understand it.
pub(super) fn unread(object: &Value, key: &str, parse: fn(&str) -> Option<DateTime<Utc>>) -> Option<UnreadProperty> {
    let text = text_at(object, &[key]);
    let is_understood = |text: &str| text.starts_with(MISSING_TIME) || parse(text).is_some();
    if text.is_some_and(|text| is_understood(&text)) {
        return None;
    }
    UnreadProperty::of(key, object.get(key)?)
}

/// Seconds or milliseconds since 1970. The number of digits distinguishes them; 9 digits begin in 1973, and what has fewer
/// digits may be a date.
fn since_1970(text: &str) -> Option<DateTime<Utc>> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(whole) || !is_digits(fraction) || text.ends_with('.') {
        return None;
    }
    let micros_per_unit: i64 = match whole.len() {
        9 | 10 => 1_000_000,
        12 | 13 => 1_000,
        _ => return None,
    };
    // The fraction, cut to microseconds.
    let places = if micros_per_unit == 1_000 { 3 } else { 6 };
    let cut: i64 = format!("{fraction:0<places$.places$}").parse().ok()?;
    DateTime::from_timestamp_micros(whole.parse::<i64>().ok()? * micros_per_unit + cut)
}

fn iso(text: &str) -> Option<DateTime<Utc>> {
    let mut text = text.to_ascii_uppercase();
    for name in UTC_NAMES {
        if let Some(start) = text.strip_suffix(name) {
            text = format!("{}Z", start.trim_end());
            break;
        }
    }
    // `2026-01-31 10:00:00`: a common other separator.
    if text.as_bytes().get(10) == Some(&b' ') {
        text.replace_range(10..11, "T");
    }
    text.retain(|character| character != ' ');
    // The other decimal sign of ISO 8601.
    let text = text.replace(',', ".");
    let offset = WITH_OFFSET
        .iter()
        .find_map(|form| DateTime::parse_from_str(&text, form).ok());
    match offset {
        Some(moment) => Some(moment.to_utc()),
        None => WITHOUT_ZONE
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())
            .map(|moment| moment.and_utc()),
    }
}

/// `Sat, 31 Jan 2026 10:00:00 GMT`, also with an offset in digits. Other abbreviations of zones are not unique.
fn rfc_2822(text: &str) -> Option<DateTime<Utc>> {
    let (start, zone) = text.rsplit_once(' ')?;
    let is_zero = UTC_NAMES.iter().any(|name| zone.eq_ignore_ascii_case(name)) || zone.eq_ignore_ascii_case("Z");
    let zone = match zone {
        _ if is_zero => "+0000",
        digits if digits.starts_with(['+', '-']) => digits,
        _ => return None,
    };
    let moment = DateTime::parse_from_rfc2822(&format!("{start} {zone}")).ok()?;
    Some(moment.to_utc())
}

#[cfg(test)]
mod tests;
