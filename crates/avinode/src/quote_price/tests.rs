use serde_json::json;

use super::*;

/// Price and unread part, as text.
fn read(quote: &Value) -> (Option<String>, Option<String>) {
    let QuotePrice { price, unread } = QuotePrice::read(quote, &IN_DOCUMENTS);
    let price = price.map(|money| format!("{} {}", money.amount, money.currency));
    (price, unread.map(|unread| unread.to_string()))
}

#[test]
fn a_price_is_read_from_every_known_place() {
    for quote in [
        json!({"sellerPrice": {"price": 12000.5, "currency": "USD"}}),
        json!({"sellerPrice": {"amount": "12000.50", "currency": "usd"}}),
        json!({"price": {"amount": 12000.5, "currency": "USD"}}),
        json!({"price": {"price": "12000.5", "currency": "USD"}}),
        json!({"totalPrice": {"amount": "1.20005e4", "currency": "USD"}}),
        json!({"totalPrice": [{"amount": 12000.5, "currency": "USD"}]}),
        json!({"sellerPrice": 12000.5, "currency": "USD"}),
        json!({"price": "12000.5", "currency": "USD"}),
        json!({"sellerPrice": {"price": 0, "currency": "USD"}, "totalPrice": {"amount": 12000.5, "currency": "USD"}}),
        json!({"sellerPrice": {"price": 12000.5, "currency": "USD"}, "sellerPriceWithoutCommission": 11000}),
    ] {
        assert_eq!(read(&quote), (Some("12000.5 USD".to_owned()), None), "{quote}");
    }
}

/// No other amount is shown in the place of one that was not understood.
#[test]
fn a_price_that_was_sent_and_not_understood_is_reported() {
    for (quote, unread) in [
        (
            json!({"sellerPrice": {"price": "12,000.50", "currency": "USD"}}),
            "sellerPrice.price \"12,000.50\"",
        ),
        (
            json!({"sellerPrice": {"price": "12.000,50", "currency": "EUR"}, "totalPrice": {"amount": 9, "currency": "EUR"}}),
            "sellerPrice.price \"12.000,50\"",
        ),
        (json!({"price": "POA"}), "price \"POA\""),
        (
            json!({"sellerPrice": {"price": -5, "currency": "USD"}}),
            "sellerPrice.price \"-5\"",
        ),
        (
            json!({"sellerPrice": {"price": 5, "currency": "U$"}}),
            "sellerPrice.price \"5 U$\"",
        ),
        (json!({"sellerPrice": 12000}), "sellerPrice \"12000 without currency\""),
        // Unknown places.
        (json!({"grandTotal": 5, "currency": "USD"}), "grandTotal \"5\""),
        (
            json!({"pricing": {"sellerAmount": "5.5"}}),
            "pricing.sellerAmount \"5.5\"",
        ),
        (
            json!({"grossPrice": {"value": 5, "currency": "USD"}}),
            "grossPrice \"{\"currency\":\"USD\",\"value\":5}\"",
        ),
    ] {
        assert_eq!(read(&quote), (None, Some(unread.to_owned())), "{quote}");
    }
}

#[test]
fn a_missing_price_and_other_quantities_are_not_reported() {
    for quote in [
        json!({}),
        json!("aquote-1"),
        json!({"sellerPrice": null, "totalPrice": {}}),
        json!({"sellerPrice": {"price": 0, "currency": "USD"}}),
        json!({"sellerPriceWithoutCommission": {"price": 5, "currency": "USD"}}),
        json!({"totalFlightTime": 120, "totalDistance": 5, "paxTotal": 4, "priceNote": "on request"}),
        json!({"lift": {"price": 5}, "links": {"total": 5}}),
    ] {
        assert_eq!(read(&quote), (None, None), "{quote}");
    }
}
