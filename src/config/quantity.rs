//! Durations and sizes with their units: `500ms`, `10s`, `2h`, `90d`; `256KiB`, `64MiB`, or plain bytes.

use std::ops::RangeInclusive;
use std::time::Duration;

use bytesize::ByteSize;

use super::value_parsers::ValueParser;

/// A duration, or `None` for `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionalInterval(pub Option<Duration>);

/// Parses a duration from `min` to `max`, which are written like the value.
pub fn duration(min: &'static str, max: &'static str) -> impl ValueParser<Duration> {
    let bounds = bounds(min, max, |text| humantime::parse_duration(text).ok());
    move |text| {
        humantime::parse_duration(text)
            .ok()
            .filter(|duration| bounds.contains(duration))
            .ok_or_else(|| format!("is not a duration from {min} to {max} (with a unit: ms, s, m, h or d)"))
    }
}

/// Parses a duration likewise, or `off`.
pub fn duration_or_off(min: &'static str, max: &'static str) -> impl ValueParser<OptionalInterval> {
    let duration = duration(min, max);
    move |text| {
        if text.eq_ignore_ascii_case("off") {
            return Ok(OptionalInterval(None));
        }
        let interval = duration(text).map(|interval| OptionalInterval(Some(interval)));
        interval.map_err(|_| format!("is neither off nor a duration from {min} to {max} (with a unit: m, h or d)"))
    }
}

/// Parses a size in bytes from `min` to `max`, which are written like the value.
pub fn size(min: &'static str, max: &'static str) -> impl ValueParser<usize> {
    let bytes = |text: &str| text.parse::<ByteSize>().ok()?.as_u64().try_into().ok();
    let bounds: RangeInclusive<usize> = bounds(min, max, bytes);
    move |text| {
        bytes(text)
            .filter(|size| bounds.contains(size))
            .ok_or_else(|| format!("is not a size from {min} to {max} (in bytes, or with a unit: KiB, MiB or GiB)"))
    }
}

fn bounds<T>(min: &str, max: &str, parse: impl Fn(&str) -> Option<T>) -> RangeInclusive<T> {
    // The bounds are literals in this crate; the test of the command line's declaration parses each of them.
    let bound = |text| parse(text).expect("a bound is written like a value");
    bound(min)..=bound(max)
}

#[cfg(test)]
mod tests;
