//! Arbitrary JSON with the keys that the readers look for: nothing panics, and every event can be stored.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{began_at, resource};
use crate::documents;

const KINDS: [&str; 4] = [
    "tripmsgs/asellermsg-1",
    "rfqs/arfq-1",
    "quotes/aquote-1",
    "trips/atrip-1",
];

fn any_json() -> impl Strategy<Value = Value> {
    let words = "A1B2C3|arfq-1|aquote-[1-3]|atrip-1|2026-01-31T10:00:00Z|Accepted|Declined|true|USD|[0-9.eE+-]{1,12}|.{0,12}|\\PC{0,300}";
    let leaf = prop_oneof![
        6 => words.prop_map(Value::from),
        2 => (0..5_i64).prop_map(Value::from),
        1 => any::<f64>().prop_map(|number| json!(number)),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    let key = "id|href|tripId|trip|trips|rfqs|rfq|quotes|tripmsgs|links|lift|sellerLift|latestQuote|sellerQuote|sellerPrice|price|currency|createdOn|updatedOn|validUntil|sourcingStatus|sourcingDisplayStatus|sellerDecline|declineReason|reason|sellerCompany|sender|displayName|name|aircraftType|aircraftTail|canceled|.{0,3}";
    leaf.prop_recursive(5, 120, 8, move |inner| {
        prop_oneof![
            2 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            5 => prop::collection::btree_map(key, inner, 0..10).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_document_causes_a_panic(data in any_json(), other in any_json()) {
        for kind in KINDS {
            for data in [json!({"a": other, "sellerQuote": data, "lift": data, "sellerLift": other, "links": other}), json!([data])] {
                // An error is fine: data that cannot be identified.
                if let Ok(document) = documents::read(&resource(kind), &data, began_at()) {
                    prop_assert!(document.trip_ids.len() <= 2);
                    prop_assert!(document.events.iter().all(|event| event.version.seen_at == began_at()));
                    prop_assert!(document.missing.iter().chain(&document.children).all(|other| other.to_string() != kind));
                }
            }
        }
    }
}
