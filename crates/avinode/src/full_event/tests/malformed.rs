//! Malformed bodies of any sort.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::json::check;
use crate::notification::{DeliveryKind, classify};

/// Does everything that the receiver and the worker do with a body. The classification agrees with the parser, and only full
/// events that pass the check have events.
fn process(body: &[u8]) {
    let (checked, kind) = (check(body), classify(body));
    match Notification::parse(body) {
        Ok(Notification::Full(full)) => {
            assert!(checked.is_ok() && matches!(kind, DeliveryKind::Full { .. }));
            for event in events(&full, super::received_at()).unwrap_or_default() {
                let shown = format!("{event:?}").replace(r"\\", ""); // `Debug` doubles a backslash of the text itself
                assert!(!shown.contains(r"\0"), "{shown}");
            }
        }
        Ok(Notification::Thin(thin)) => assert!(checked.is_ok() && kind == DeliveryKind::Thin { key: thin.id }),
        Err(error) => assert!(kind == DeliveryKind::Unknown && error.to_string().chars().count() < 400),
    }
}

/// Arbitrary JSON with mostly the keys and words that the parser looks for.
fn any_json() -> impl Strategy<Value = Value> {
    let words = "TripRequest|TripRequestSellerResponse|TripChatMine|TripCancelled|TripQuoteDeclined|created|quoted|declined|A1B2C3|2026-01-31T10:00:00Z|[0-9.eE+-]{1,12}|.{0,12}|\\PC{0,300}";
    let leaf = prop_oneof![
        6 => words.prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let key = "event|eventId|timestamp|data|trip|tripId|id|href|type|request|status|quote|totalPrice|amount|currency|validUntil|aircraft|seller|sender|message|action|.{0,3}";
    leaf.prop_recursive(5, 120, 8, move |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            5 => prop::collection::btree_map(key, inner, 0..10).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

#[test]
fn no_malformed_body_causes_a_panic() {
    let deep = format!(
        r#"{{"event":"TripCancelled","data":{}{}}}"#,
        r#"{"trip":"#.repeat(50_000),
        "}".repeat(50_000)
    );
    for body in [
        "",
        "null",
        "\"\\ud800\"",
        "{\"event\":1e999999,\"data\":{}}",
        &deep,
        &deep[..deep.len() / 2],
        &"[".repeat(200_000),
    ] {
        process(body.as_bytes());
    }
    assert!(check(&[QUOTED.as_bytes(), b" "].concat()).is_ok());
    process(QUOTED.as_bytes());
}

proptest! {
    #[test]
    fn no_bytes_cause_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        process(&bytes);
    }

    #[test]
    fn no_json_causes_a_panic(value in any_json()) {
        check(value.to_string().as_bytes()).unwrap();
        process(value.to_string().as_bytes());
    }

    #[test]
    fn no_content_of_a_known_event_causes_a_panic(
        event in "TripRequestSellerResponse|TripQuoteDeclined|TripChatMine|TripRequest|TripCancelled",
        data in any_json(),
    ) {
        process(json!({"event": event, "data": {"tripId": "A1B2C3", "quote": data, "request": data, "seller": data, "action": data, "message": data}}).to_string().as_bytes());
    }

    #[test]
    fn no_damage_to_a_real_body_causes_a_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let mut body = QUOTED.as_bytes().to_vec();
        body[at.index(QUOTED.len())] = byte;
        process(&body);
        process(&body[..cut.index(body.len())]);
    }
}
