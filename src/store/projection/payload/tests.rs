use serde_json::{Value, json};

use uuid::Uuid;

use super::*;
use crate::domain::storable_json::MAX_NUMBER;

fn payload(body: &str) -> QuotePayload {
    QuotePayload {
        statement: EventStatement {
            at: None,
            first_seen_at: DateTime::UNIX_EPOCH,
            digest: [1; 32],
        },
        delivery: Arc::new(StoredDelivery {
            id: Uuid::nil(),
            received_at: DateTime::UNIX_EPOCH,
            body: body.into(),
            is_redacted: false,
        }),
    }
}

#[test]
fn a_body_that_jsonb_refuses_is_left_out() {
    let long = format!("\"{}\"", "x".repeat(MAX_BODY_BYTES));
    let digits = format!("[{}]", "1".repeat(MAX_NUMBER + 1));
    for body in [
        r#"{"a": "\u0000"}"#,
        r#"{"\u0000": 1}"#,
        r#"["\ud800"]"#,
        "[1e9999]",
        "[0e999999999999999999999]",
        "[1e-9999]",
        &digits,
        &long,
        "\"\u{0}\"",
        "{",
    ] {
        assert_eq!(
            PayloadJson::read(body.as_bytes()),
            None,
            "{}",
            &body[..body.len().min(40)]
        );
    }
    assert!(PayloadJson::read("{\"a\": [\"\\ud83d\\ude00\", 1e128, -0.0, null]}".as_bytes()).is_some());
}

#[test]
fn the_format_of_numbers_and_the_order_of_keys_make_no_difference() {
    let digest = |body: &str| PayloadJson::read(body.as_bytes()).unwrap().digest;
    for (one, other) in [
        ("1e2", "100"),
        ("1.50", "15e-1"),
        ("-0.0", "0"),
        ("0.00120", "1.2E-3"),
        (r#"{"a": 1, "b": 2}"#, r#"{"b": 2, "a": 1.0}"#),
    ] {
        assert_eq!(digest(one), digest(other), "{one}");
    }
    for (one, other) in [("1", "\"1\""), ("1", "10"), ("1", "-1"), ("[]", "{}"), ("0.1", "0.01")] {
        assert_ne!(digest(one), digest(other), "{one}");
    }
}

#[test]
fn only_an_empty_column_and_a_value_of_ours_are_overwritten() {
    let newest = payload(r#"{"price": 2}"#);
    let older = payload(r#"{"price": 1.0}"#).read().record;
    let null = json!({"statement": "older", "digest": null});
    for (current, written, may_fill, expected) in [
        (json!(null), None, true, Some(Some(json!({"price": 2})))),
        (json!(null), None, false, None),
        (json!(null), Some(&null), true, Some(Some(json!({"price": 2})))),
        // The application emptied it.
        (json!(null), Some(&older), true, None),
        (json!({"price": 1}), Some(&older), true, Some(Some(json!({"price": 2})))),
        (json!({"price": 3}), Some(&older), true, None),
        (json!({"price": 1}), None, true, None),
        (json!({"price": 2}), None, true, None),
        (json!({"price": 2.0}), Some(&newest.read().record), true, Some(None)),
    ] {
        let row = Map::from_iter([(COLUMN.to_owned(), current.clone())]);
        let found = compare(&row, &newest, written, may_fill).map(|change| change.column);
        assert_eq!(found, expected, "{current} {written:?}");
    }
}

#[test]
fn a_newer_body_that_the_column_cannot_hold_empties_it() {
    let older = payload("{}").read().record;
    let row = Map::from_iter([(COLUMN.to_owned(), json!({}))]);
    let change = compare(&row, &payload("{"), Some(&older), true).unwrap();
    assert_eq!(change.column, Some(Value::Null));
    assert_eq!(change.record["digest"], Value::Null);
}

/// A digest is compared with those of earlier versions, so its form must not change.
#[test]
fn the_digest_of_a_body_stays_the_same() {
    for (body, canonical) in [
        ("null", "null"),
        ("[]", "[]"),
        (
            r#"{"b": {}, "a": [1.50, "\u00e9\n\"", true, null]}"#,
            r#"{"a":[15e-1,"é\n\"",true,null],"b":{}}"#,
        ),
        ("[100, -0.0, 12]", "[1e+2,0,12e+0]"),
    ] {
        let digest = PayloadJson::read(body.as_bytes()).unwrap().digest;
        assert_eq!(digest, hex::encode(Sha256::digest(canonical)), "{body}");
    }
}
