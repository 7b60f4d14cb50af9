//! Parsers of single values, with bounds. Their errors complete the sentence `NAME: "VALUE" …` and never hold the
//! value; clap's own ("0 is not in 1..=64") do not say what is allowed in words a person would use.

use std::net::SocketAddr;
use std::time::Duration;

use tracing_subscriber::EnvFilter;

/// A whole number from `min` to `max`, both allowed.
pub fn whole<T: TryFrom<u64>>(
    min: u64,
    max: u64,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        text.parse::<u64>()
            .ok()
            .filter(|number| (min..=max).contains(number))
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| format!("is not a whole number from {min} to {max}"))
    }
}

/// Whole seconds from `min` to `max`.
pub fn seconds(min: u64, max: u64) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync + 'static {
    let number = whole(min, max);
    move |text| {
        number(text)
            .map(Duration::from_secs)
            .map_err(|error| error + " (seconds)")
    }
}

/// Whole milliseconds from `min` to `max`.
pub fn millis(min: u64, max: u64) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync + 'static {
    let number = whole(min, max);
    move |text| {
        number(text)
            .map(Duration::from_millis)
            .map_err(|error| error + " (milliseconds)")
    }
}

/// How often something happens by itself; never where there is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptionalInterval(pub Option<Duration>);

/// `off`, or whole minutes, hours or days from 10 minutes to 30 days: `30m`, `6h`, `1d`.
pub fn every(text: &str) -> Result<OptionalInterval, String> {
    if text.eq_ignore_ascii_case("off") {
        return Ok(OptionalInterval(None));
    }
    let seconds = |unit: &str, seconds: u64| {
        let number = text.strip_suffix(unit)?.parse::<u64>().ok()?;
        number.checked_mul(seconds)
    };
    seconds("m", 60)
        .or_else(|| seconds("h", 3600))
        .or_else(|| seconds("d", 86_400))
        .filter(|seconds| (600..=30 * 86_400).contains(seconds))
        .map(|seconds| OptionalInterval(Some(Duration::from_secs(seconds))))
        .ok_or_else(|| "is neither off nor a time from 10m to 30d, such as 30m, 6h or 1d".to_owned())
}

/// The value of a header: visible ASCII.
pub fn header_value(text: &str) -> Result<String, String> {
    let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    visible
        .then(|| text.to_owned())
        .ok_or_else(|| "is not one word of visible ASCII characters".to_owned())
}

/// The name of an event type at Avinode, or `needed`.
pub fn event_type(text: &str) -> Result<String, String> {
    let text = text.trim();
    let word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    word.then(|| text.to_owned())
        .ok_or_else(|| "is not the name of an event type, such as TripChatFromSeller, or needed".to_owned())
}

/// A switch as an environment variable spells it.
pub fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("is neither true (yes, on, 1) nor false (no, off, 0)".to_owned()),
    }
}

/// An address to listen on. Host names are refused: they may mean several addresses, and which one is then chance.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "is not an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080".to_owned())
}

/// A rate per second: above zero, at most a million; fractions allowed.
pub fn rate(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|rate| *rate > 0.0 && *rate <= 1_000_000.0)
        .ok_or_else(|| "is not a number above 0 and up to 1000000 (a second)".to_owned())
}

/// A share: from 0, nothing, to 1, all.
pub fn share(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|share| (0.0..=1.0).contains(share))
        .ok_or_else(|| "is not a share from 0 to 1, such as 0.1".to_owned())
}

/// The URL of a service that takes webhooks: `http` or `https`, with a host.
pub fn url(text: &str) -> Result<url::Url, String> {
    url::Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| "is not a URL such as http://127.0.0.1:8080/webhooks/avinode".to_owned())
}

/// Log directives: levels, and `target=level` pairs, separated by commas.
///
/// The filter's own grammar takes a bare word as a target, so a misspelt level would silence the log: refused here.
pub fn log_level(text: &str) -> Result<String, String> {
    const ALLOWED: &str = "is not a level (off, error, warn, info, debug, trace) or a list such as info,sqlx=warn";
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let known = text
        .split(',')
        .map(str::trim)
        .all(|directive| directive.contains('=') || LEVELS.iter().any(|level| directive.eq_ignore_ascii_case(level)));
    if known && EnvFilter::builder().parse(text).is_ok() {
        Ok(text.to_owned())
    } else {
        Err(ALLOWED.to_owned())
    }
}

#[cfg(test)]
mod tests;
