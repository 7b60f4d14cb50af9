use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::json::read;

#[test]
fn an_amount_is_parsed_exactly_in_every_spelling() {
    for (text, value) in [
        ("12000", "12000"),
        ("12000.50", "12000.5"),
        ("012000.0", "12000"),
        ("1.2e4", "12000"),
        ("1.2E+4", "12000"),
        ("120000000e-4", "12000"),
        ("5e-1", "0.5"),
        ("0.0000000000000000000000000001", "0.0000000000000000000000000001"),
        ("1e15", "1000000000000000"),
        ("999999999999999.9999999999999", "999999999999999.9999999999999"),
    ] {
        assert_eq!(amount(text).unwrap().to_string(), value, "{text}");
    }
}

#[test]
fn an_invalid_amount_is_none() {
    for text in [
        "",
        "0",
        "0.00",
        "0e5",
        "-1",
        "+1",
        ".5",
        "1,200",
        "1 200",
        "$5",
        "NaN",
        "e5",
        "1e",
        "1e999999",
        "1e-29",
        "1e99999999999",
        "1000000000000000.1",
        "1e16",
        "12345678901234567890123456789.5",
        "999999999999999.99999999999999999",
        "١٢",
    ] {
        assert_eq!(amount(text), None, "{text}");
    }
    assert_eq!(amount(&"9".repeat(200_000)), None);
}

#[test]
fn a_price_needs_its_currency() {
    let read = |text: &str| {
        price(&read(text.as_bytes()).unwrap(), "amount").map(|money| format!("{} {}", money.amount, money.currency))
    };
    assert_eq!(
        read(r#"{"amount":1.5e4,"currency":" usd "}"#).as_deref(),
        Some("15000 USD")
    );
    assert_eq!(
        read(r#"{"amount":"15000.10","currency":"EUR"}"#).as_deref(),
        Some("15000.1 EUR")
    );
    for none in [
        r#"{"amount":1}"#,
        r#"{"amount":1,"currency":"US"}"#,
        r#"{"amount":1,"currency":"U$D"}"#,
        r#"{"amount":1,"currency":"ÄÖ"}"#,
        r#"{"currency":"USD"}"#,
        "[1]",
    ] {
        assert_eq!(read(none), None, "{none}");
    }
}

#[test]
fn a_json_number_keeps_its_last_digit() {
    assert_eq!(
        price(&json!({"amount": 0.1, "currency": "USD"}), "amount")
            .unwrap()
            .amount
            .to_string(),
        "0.1"
    );
}

proptest! {
    #[test]
    fn every_amount_of_cents_is_parsed_exactly(cents in 1..100_000_000_000_i64) {
        let text = format!("{}.{:02}", cents / 100, cents % 100);
        prop_assert_eq!(amount(&text), Some(Decimal::new(cents, 2)));
    }

    #[test]
    fn no_text_causes_a_panic(text in "[0-9.eE+-]{0,40}") {
        amount(&text);
    }
}
