//! Parsers of single values, with bounds. Their errors complete the sentence `NAME: "VALUE" …` and never hold the value.

use std::net::SocketAddr;
use std::str::FromStr;

use strum::VariantArray;
use tracing_subscriber::EnvFilter;
use url::Url;

/// A function that parses a value, as clap needs it.
pub trait ValueParser<T>: Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {}

impl<T, F: Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static> ValueParser<T> for F {}

/// Parses a whole number from `min` to `max`.
pub fn integer_in<T: TryFrom<u64>>(min: u64, max: u64) -> impl ValueParser<T> {
    move |text| {
        text.parse::<u64>()
            .ok()
            .filter(|number| (min..=max).contains(number))
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| format!("is not a whole number from {min} to {max}"))
    }
}

/// Parses one of the words of an enum.
pub fn one_of<T>(text: &str) -> Result<T, String>
where
    T: VariantArray + FromStr + Copy + Into<&'static str>,
{
    text.parse().map_err(|_| {
        let words: Vec<&str> = T::VARIANTS.iter().map(|word| (*word).into()).collect();
        format!("is not one of: {}", words.join(", "))
    })
}

/// Parses the value of a header: visible ASCII.
pub fn header_value(text: &str) -> Result<String, String> {
    let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    visible
        .then(|| text.to_owned())
        .ok_or_else(|| "is not one word of visible ASCII characters".to_owned())
}

/// Parses an event type of Avinode, or `needed`.
pub fn event_type(text: &str) -> Result<String, String> {
    let text = text.trim();
    let word = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    word.then(|| text.to_owned())
        .ok_or_else(|| "is not an event type, such as TripChatFromSeller, nor the word needed".to_owned())
}

/// Parses a boolean in any of the usual spellings.
pub fn boolean(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err("is neither true (yes, on, 1) nor false (no, off, 0)".to_owned()),
    }
}

/// Parses an IP address with a port. Host names are refused: one may resolve to several addresses.
pub fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| "is not an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080".to_owned())
}

/// Parses a rate per second: above zero, at most a million.
pub fn rate(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|rate| *rate > 0.0 && *rate <= 1_000_000.0)
        .ok_or_else(|| "is not a number above 0 and up to 1000000 (per second)".to_owned())
}

/// Parses a ratio from 0 to 1.
pub fn ratio(text: &str) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|ratio| (0.0..=1.0).contains(ratio))
        .ok_or_else(|| "is not a ratio from 0 to 1, such as 0.1".to_owned())
}

/// Parses the URL of a webhook: `http` or `https`, with a host.
pub fn url(text: &str) -> Result<Url, String> {
    Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or_else(|| "is not a URL such as http://127.0.0.1:8080/webhooks/avinode".to_owned())
}

/// Parses log directives: levels, and `target=level` pairs, separated by commas.
///
/// `EnvFilter` takes a bare word for a target, so it would accept a misspelt level and log nothing.
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
