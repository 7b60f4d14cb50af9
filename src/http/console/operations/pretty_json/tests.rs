use proptest::prelude::*;
use serde_json::Value;

use super::*;

#[test]
fn names_keep_their_order_and_numbers_and_strings_their_spelling() {
    let text = r#"{"z": 1.10, "a":[ ], "b":{"c":"x, \"y\": [1] \u00e9"},"n":12345678901234567890123}"#;
    let expected = r#"{
  "z": 1.10,
  "a": [],
  "b": {
    "c": "x, \"y\": [1] \u00e9"
  },
  "n": 12345678901234567890123
}"#;
    assert_eq!(pretty(text).unwrap(), expected);
}

#[test]
fn deep_nesting_makes_the_text_longer_in_proportion() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let once = pretty(&nested(1_000)).unwrap().len();
    let ten_times = pretty(&nested(10_000)).unwrap().len();
    assert!(ten_times < once * 11, "{once} {ten_times}");
}

#[test]
fn text_that_is_not_json_has_no_such_form() {
    assert_eq!(pretty("{\"a\": "), None);
    assert_eq!(pretty("not JSON"), None);
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map(".*", inner, 0..6).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn the_form_has_the_same_value(value in json()) {
        let formatted = pretty(&value.to_string()).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&formatted).unwrap(), value);
    }
}
