//! Parses prices exactly. rust_decimal's own parser is not used, since it rounds numbers that do not fit, and a price is
//! never rounded.

use rust_decimal::Decimal;
use serde_json::Value;

use super::json::text_at;
use ingest_domain::event::Money;

/// The highest plausible price in any currency; a higher amount is not a price.
const MAX_AMOUNT: i128 = 1_000_000_000_000_000;

/// The price in an object with the amount under this key and a `currency`.
///
/// `None` unless there are both: an amount (number or text, exponents allowed) above zero and up to 10^15, and a currency of
/// three letters. An invalid price never makes its quote invalid.
pub(super) fn price(object: &Value, amount_key: &str) -> Option<Money> {
    let amount = amount(&text_at(object, &[amount_key])?)?;
    let currency = text_at(object, &["currency"])?.to_ascii_uppercase();
    let is_code = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_uppercase());
    is_code.then_some(Money { amount, currency })
}

/// Parses an amount above zero, exactly: `12000`, `12000.50`, `1.2e4`. No signs and no thousands separators; a point is
/// always the decimal point.
pub(super) fn amount(text: &str) -> Option<Decimal> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // The value is `significant` × 10^`power`, without zeros at either end, so that every spelling gives the same amount.
    let significant = digits.trim_end_matches('0');
    let power = i64::from(exponent) - i64::try_from(fraction.len()).ok()?
        + i64::try_from(digits.len() - significant.len()).ok()?;
    let significant: i128 = significant.trim_start_matches('0').parse().ok()?; // an empty text, which is zero, is not a number
    if power < 0 {
        let scale = u32::try_from(-power).ok()?;
        // Fails for a number that does not fit in 96 bits and 28 places; it does not round.
        let amount = Decimal::try_from_i128_with_scale(significant, scale).ok()?;
        return (amount <= Decimal::from_i128_with_scale(MAX_AMOUNT, 0)).then_some(amount);
    }
    let amount = 10_i128
        .checked_pow(u32::try_from(power).ok()?)?
        .checked_mul(significant)?;
    (amount <= MAX_AMOUNT).then(|| Decimal::from_i128_with_scale(amount, 0))
}

/// True for zero in any spelling: no price, and understood.
pub(super) fn is_zero(text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    mantissa.contains('0') && mantissa.bytes().all(|byte| byte == b'0' || byte == b'.')
}

#[cfg(test)]
mod tests;
