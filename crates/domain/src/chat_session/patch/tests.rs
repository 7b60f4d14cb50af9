use serde_json::json;

use super::*;

#[test]
fn an_absent_field_differs_from_a_null_one() {
    let patch: TripPatch = serde_json::from_str(r#"{"avinode_trip_id": null, "current_step": "x"}"#).unwrap();
    assert_eq!(patch.avinode_trip_id, Some(None));
    assert_eq!(patch.current_step, Some(Some("x".to_owned())));
    assert_eq!(patch.request_id, None);
}

#[test]
fn merging_follows_the_examples_of_rfc_7396() {
    for (target, patch, merged) in [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (
            json!({"a": {"b": "c"}}),
            json!({"a": {"b": "d", "c": null}}),
            json!({"a": {"b": "d"}}),
        ),
        (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
    ] {
        assert_eq!(merge(Some(target), patch.as_object().unwrap()), merged);
    }
}
