//! Values as text for pages: ages, prices, words, and texts that others wrote.

use chrono::{DateTime, Utc};
use maud::{Markup, html};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::domain::age;
use crate::domain::terminal_text::is_unsafe;

/// Characters of a text in a card or a table.
const SHORT: usize = 120;

/// A text that others wrote, cut. Characters that would change the text around them are replaced; maud escapes the rest.
pub fn short(text: &str) -> String {
    let mut characters = text.chars().map(|c| if is_unsafe(c) { '\u{FFFD}' } else { c });
    let mut short: String = characters.by_ref().take(SHORT).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// The same of a text that may be absent.
pub fn short_or_dash(text: Option<&str>) -> String {
    match text.map(str::trim) {
        None | Some("") => "–".to_owned(),
        Some(text) => short(text),
    }
}

/// `48,250.00 USD`.
pub fn price(amount: Option<Decimal>, currency: Option<&str>) -> String {
    let Some(amount) = amount else { return "–".to_owned() };
    let text = format!("{amount:.2}");
    let (whole, cents) = text.split_once('.').unwrap_or((&text, "00"));
    let (sign, digits) = whole.split_at(whole.len() - whole.trim_start_matches('-').len());
    format!("{sign}{}.{cents} {}", grouped(digits), short_or_dash(currency))
}

/// Digits with thousands apart.
pub fn grouped(digits: &str) -> String {
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A word of a column: `quote_received` becomes `quote received`.
pub fn words(word: &str) -> String {
    short(&word.replace('_', " "))
}

/// `3 min ago`, with the time itself for machines and on hovering.
pub fn age(at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Markup {
    html! {
        @match at {
            Some(at) => time datetime=(at.to_rfc3339()) title=(moment(at)) { (age::age(at, now)) },
            None => "–",
        }
    }
}

/// `2026-11-29 08:00 UTC`.
pub fn moment(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// The members of a JSON object as names and texts; texts of inner objects are JSON.
pub fn members(detail: &Value) -> Vec<(String, String)> {
    let members = detail.as_object().into_iter().flatten();
    let shown = members.filter(|(_, value)| !value.is_null());
    shown
        .map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (words(name), short(&text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn prices_have_two_decimals_and_groups_of_three_digits() {
        for (amount, text) in [
            ("0", "0.00 USD"),
            ("950.5", "950.50 USD"),
            ("48250", "48,250.00 USD"),
            ("1234567.89", "1,234,567.89 USD"),
            ("-1200", "-1,200.00 USD"),
        ] {
            assert_eq!(price(amount.parse().ok(), Some("USD")), text);
        }
        assert_eq!(price(None, Some("USD")), "–");
        assert_eq!(price(Some(Decimal::ONE), None), "1.00 –");
    }

    #[test]
    fn a_text_cannot_turn_the_text_around_it_and_is_cut() {
        assert_eq!(short("Jets\u{202E}00.1\n"), "Jets\u{FFFD}00.1\u{FFFD}");
        let long = short(&"x".repeat(SHORT + 1));
        assert_eq!(long.chars().count(), SHORT + 1);
        assert!(long.ends_with('…'));
        assert!(!short(&"x".repeat(SHORT)).ends_with('…'));
    }

    #[test]
    fn members_are_texts_and_absent_ones_are_left_out() {
        let detail = json!({"operator": "A <b>", "price": null, "quote_count": 2, "parts": ["x"]});
        let expected = [("operator", "A <b>"), ("parts", "[\"x\"]"), ("quote count", "2")];
        assert_eq!(
            members(&detail),
            expected.map(|(name, text)| (name.to_owned(), text.to_owned()))
        );
    }
}
