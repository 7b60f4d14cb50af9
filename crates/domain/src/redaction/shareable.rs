//! Bodies of deliveries without personal text, to be sent again elsewhere: ids, kinds, times, prices and states stay, so the same sessions
//! come out of them. The texts that purge redacts are redacted here as well: names, ids of operators and contacts, messages, aircraft,
//! schedules, reasons. Strings that are not known to be needed are redacted too.

use serde_json::Value;

use super::REDACTED;
use super::bodies::REDACTED_BODY;

/// Keys with strings that decide what a body means. Keys that end in `Id` are kept as well.
const KEPT: [&str; 18] = [
    "id",
    "href",
    "event",
    "type",
    "timestamp",
    "apiversion",
    "status",
    "action",
    "validuntil",
    "createdon",
    "currency",
    "trip",
    "request",
    "rfq",
    "quote",
    "quotes",
    "rfqs",
    "trips",
];
/// Objects about people and companies: every string and number in them is redacted, also ids.
const PARTIES: [&str; 8] = [
    "seller",
    "sender",
    "buyer",
    "contact",
    "customer",
    "operator",
    "company",
    "passengers",
];
/// A longer text is no id, kind, time or price.
const MAX_KEPT: usize = 300;
/// Digits of a number that may be a telephone number.
const PHONE_DIGITS: usize = 7;
/// Letters of a price: those of its currency.
const PRICE_LETTERS: usize = 4;

/// Returns the body without personal text; one that is no JSON is replaced as a whole.
pub fn body(body: &[u8]) -> Vec<u8> {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else {
        return REDACTED_BODY.to_vec();
    };
    redact(&mut value, "", false);
    let mut text = format!("{value:#}");
    text.push('\n');
    text.into_bytes()
}

/// `key`: that of the value, or of the list that has it; `in_party`: in an object about a person or a company.
fn redact(value: &mut Value, key: &str, in_party: bool) {
    match value {
        Value::String(text) => {
            if in_party || !is_kept(key, text) {
                REDACTED.clone_into(text);
            }
        }
        Value::Number(number) => {
            let digits = number.to_string().chars().filter(char::is_ascii_digit).count();
            let is_needed = is_id(key) || is_price(key);
            if digits >= PHONE_DIGITS && (in_party || !is_needed) {
                *value = Value::Null;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, key, in_party)),
        Value::Object(object) => {
            for (key, item) in object {
                let key = key.to_lowercase();
                let in_party = in_party || PARTIES.contains(&key.as_str());
                redact(item, &key, in_party);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// `{{` begins a placeholder of a fixture.
fn is_kept(key: &str, text: &str) -> bool {
    if text.len() > MAX_KEPT || text.contains("{{") {
        return false;
    }
    if is_price(key) {
        return text.chars().filter(|c| c.is_alphabetic()).count() <= PRICE_LETTERS;
    }
    let is_word = !text.chars().any(|c| c.is_whitespace() || c == '@');
    let is_time = text.chars().all(|c| c.is_ascii_digit() || "-:. TZ+".contains(c));
    is_id(key) && (is_word || is_time)
}

fn is_id(key: &str) -> bool {
    KEPT.contains(&key) || key.ends_with("id")
}

fn is_price(key: &str) -> bool {
    ["price", "amount", "total"].iter().any(|word| key.contains(word))
}

#[cfg(test)]
mod tests;
