//! Prices as senders write them: read exactly or not at all. rust_decimal's own parser is not used, since it rounds what
//! does not fit, and a price is never rounded.

use rust_decimal::Decimal;
use serde_json::Value;

use super::json::text_at;
use crate::domain::event::Money;

/// The highest amount taken for a price; anything above is a mistake, whatever the currency.
const MAX_AMOUNT: i128 = 1_000_000_000_000_000;

/// The price in an object that holds the amount under this key, beside `currency`.
///
/// `None` unless there are both: an amount (number or text, exponents allowed) above zero and up to 10^15, and a
/// currency of three letters. A price that cannot be read is no price; it never makes its quote unreadable.
pub(super) fn price(object: &Value, amount_key: &str) -> Option<Money> {
    let amount = amount(&text_at(object, &[amount_key])?)?;
    let currency = text_at(object, &["currency"])?.to_ascii_uppercase();
    let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    is_code.then_some(Money { amount, currency })
}

/// An amount above zero, exactly: `12000`, `12000.50`, `1.2e4`. No signs and no thousands separators; a point is
/// always the decimal point.
fn amount(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The value is `significant` × 10^`power`, with no zeros at either end, so that every spelling is one amount.
    let significant = digits.trim_end_matches('0');
    let power = i64::from(exponent) - i64::try_from(fraction.len()).ok()?
        + i64::try_from(digits.len() - significant.len()).ok()?;
    let significant: i128 = significant.trim_start_matches('0').parse().ok()?; // an empty text, zero, is refused here
    if power < 0 {
        let scale = u32::try_from(-power).ok()?;
        // Refuses what does not fit in 96 bits and 28 places; it does not round.
        let amount = Decimal::try_from_i128_with_scale(significant, scale).ok()?;
        return (amount <= Decimal::from_i128_with_scale(MAX_AMOUNT, 0)).then_some(amount);
    }
    let amount = 10_i128
        .checked_pow(u32::try_from(power).ok()?)?
        .checked_mul(significant)?;
    (amount <= MAX_AMOUNT).then(|| Decimal::from_i128_with_scale(amount, 0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::avinode::json::read;

    #[test]
    fn an_amount_is_read_exactly_in_every_spelling() {
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
    fn what_is_no_price_is_none() {
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
    fn a_number_of_json_keeps_its_last_digit() {
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
        fn an_amount_of_cents_is_what_was_written(cents in 1..100_000_000_000_i64) {
            let text = format!("{}.{:02}", cents / 100, cents % 100);
            prop_assert_eq!(amount(&text), Some(Decimal::new(cents, 2)));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9.eE+-]{0,40}") {
            amount(&text);
        }
    }
}
