//! JSON merge patch (RFC 7396): absent leaves, null clears, an object is merged. Serde's `Option` alone cannot tell
//! absent from null.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

/// What changes of a session's trip (`updateChatSessionWithTripInfo`), as a JSON merge patch: what is absent stays, what
/// is null is cleared (a count to 0).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TripPatch {
    /// The Avinode trip, in any spelling of either of its ids.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "atrip-64956150")]
    pub avinode_trip_id: Option<Option<String>>,
    /// The Avinode RFP.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "rfp-123")]
    pub avinode_rfp_id: Option<Option<String>>,
    /// One Avinode RFQ.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub avinode_rfq_id: Option<Option<String>>,
    /// The trip request.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub request_id: Option<Option<Uuid>>,
    /// The step of the workflow, any text.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "requesting_quotes")]
    pub current_step: Option<Option<String>>,
    /// Merged into what is there, key by key; a key that is null is taken away.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub workflow_state: Option<Option<Map<String, Value>>>,
    /// How many quotes are expected.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, minimum = 0)]
    pub quotes_expected_count: Option<Option<i32>>,
    /// How many operators were asked.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, minimum = 0)]
    pub operators_contacted_count: Option<Option<i32>>,
}

fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Merges `patch` into `target`. What is there and no object gives way to one, as the standard says.
pub fn merge(target: Option<Value>, patch: &Map<String, Value>) -> Value {
    let mut merged = match target {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    };
    for (key, value) in patch {
        match value {
            Value::Null => {
                merged.remove(key);
            }
            Value::Object(inner) => {
                let inner = merge(merged.remove(key), inner);
                merged.insert(key.clone(), inner);
            }
            plain => {
                merged.insert(key.clone(), plain.clone());
            }
        }
    }
    Value::Object(merged)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn absent_leaves_null_clears_and_an_object_is_merged() {
        let patch: TripPatch = serde_json::from_str(r#"{"avinode_trip_id": null, "current_step": "x"}"#).unwrap();
        assert_eq!(patch.avinode_trip_id, Some(None));
        assert_eq!(patch.current_step, Some(Some("x".to_owned())));
        assert_eq!(patch.request_id, None);
    }

    #[test]
    fn merging_follows_the_examples_of_the_standard() {
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
}
