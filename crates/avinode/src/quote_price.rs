//! The price of a quote, in each place where documents and relays have it. A price that was sent and not understood is
//! reported, and no other amount is used in its place.

use serde_json::Value;

use super::json::text_at;
use super::money;
use super::unread_property::UnreadProperty;
use ingest_domain::event::Money;

/// A seller's total price, the preferred place first: Avinode's documents have `sellerPrice`.
pub(super) const IN_DOCUMENTS: [&str; 3] = ["sellerPrice", "price", "totalPrice"];
/// Relays have `totalPrice`.
pub(super) const IN_EVENTS: [&str; 3] = ["totalPrice", "sellerPrice", "price"];

/// Properties of an amount.
const AMOUNTS: [&str; 2] = ["price", "amount"];
/// Parts of names by which a price in an unknown place is recognised.
const PRICE_WORDS: [&str; 3] = ["price", "amount", "total"];
/// Parts of names of other quantities, and another price than the total.
const OTHER_WORDS: [&str; 8] = [
    "withoutcommission",
    "time",
    "distance",
    "duration",
    "pax",
    "passenger",
    "seat",
    "currency",
];

/// The price of one quote as it was sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct QuotePrice {
    pub(super) price: Option<Money>,
    /// A price that was sent and not understood; `None` if there is a price.
    pub(super) unread: Option<UnreadProperty>,
}

impl QuotePrice {
    /// Reads `sellerPrice{price|amount,currency}`, `price{…}` and `totalPrice{…}`, also as a number with a `currency` beside it.
    /// `places`: the preferred one first. `sellerPriceWithoutCommission` is another price and is ignored.
    pub(super) fn read(quote: &Value, places: &[&str]) -> Self {
        for place in places {
            let found = at_place(quote, place);
            if found != Self::default() {
                return found;
            }
        }
        Self {
            price: None,
            unread: in_unknown_place(quote, places, 2),
        }
    }
}

/// The price in one place; neither part if nothing was sent there, or a zero, which is no price.
fn at_place(quote: &Value, place: &str) -> QuotePrice {
    let value = one(&quote[place]);
    let amounts = AMOUNTS.iter().map(|amount| (value, *amount));
    // Without nesting, the currency is beside the amount.
    let flat = (!value.is_object()).then_some((quote, place));
    let mut unread = None;
    for (object, amount) in amounts.filter(|_| value.is_object()).chain(flat) {
        if let Some(price) = money::price(object, amount) {
            return QuotePrice {
                price: Some(price),
                unread: None,
            };
        }
        let is_zero = text_at(object, &[amount]).is_some_and(|text| money::is_zero(&text));
        if !is_zero && unread.is_none() {
            unread = object.get(amount).and_then(|value| UnreadProperty::of(amount, value));
        }
    }
    let has_no_currency = |it: &UnreadProperty| money::amount(&it.value).is_some();
    let unread = unread.map(|it| match has_no_currency(&it) {
        // The amount is readable: the currency is what is not.
        true => UnreadProperty {
            value: format!(
                "{} {}",
                it.value,
                currency(if value.is_object() { value } else { quote })
            ),
            ..it
        },
        false => it,
    });
    QuotePrice {
        price: None,
        unread: unread.map(|it| if value.is_object() { it.within(place) } else { it }),
    }
}

fn currency(object: &Value) -> String {
    UnreadProperty::of("currency", &object["currency"]).map_or("without currency".to_owned(), |it| it.value)
}

/// A number under a name that suggests a price, in the quote or in an object of it.
fn in_unknown_place(object: &Value, places: &[&str], levels: u8) -> Option<UnreadProperty> {
    let properties = object.as_object()?;
    let names_price = |name: &str| {
        let name = name.to_ascii_lowercase();
        PRICE_WORDS.iter().any(|word| name.contains(word)) && !OTHER_WORDS.iter().any(|word| name.contains(word))
    };
    for (name, value) in properties {
        if places.contains(&name.as_str()) || name.to_ascii_lowercase().contains("withoutcommission") {
            continue;
        }
        let is_number = text_at(value, &[])
            .is_some_and(|text| text.starts_with(|first: char| first.is_ascii_digit()) && !money::is_zero(&text));
        if names_price(name) && is_number {
            return UnreadProperty::of(name, value);
        }
        let nested = one(value);
        if levels > 1
            && nested.is_object()
            && !matches!(name.as_str(), "lift" | "links")
            && let Some(found) = in_unknown_place(nested, &[], levels - 1)
        {
            return Some(found.within(name));
        }
        // `grossTotal{value,currency}`: the object has the name.
        if names_price(name) && nested.get("currency").is_some() {
            return UnreadProperty::of(name, nested);
        }
    }
    None
}

/// The value itself, or the first item of a list.
fn one(value: &Value) -> &Value {
    match value {
        Value::Array(items) => items.iter().find(|item| !item.is_null()).unwrap_or(&Value::Null),
        single => single,
    }
}

#[cfg(test)]
mod tests;
