//! JSON merge patch (RFC 7396): an absent field stays, null clears, an object is merged. Serde's `Option` alone does not
//! distinguish absent from null.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use super::conversation_type::ConversationType;
use super::status::OpenStatus;

/// Changes of a session's trip (`updateChatSessionWithTripInfo`), as a JSON merge patch: an absent field stays, null clears
/// (a count to 0).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TripPatch {
    /// Either id of the Avinode trip, in any spelling.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "atrip-64956150")]
    pub avinode_trip_id: Option<Option<String>>,
    /// The id of the Avinode RFP.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "rfp-123")]
    pub avinode_rfp_id: Option<Option<String>>,
    /// The id of one Avinode RFQ.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub avinode_rfq_id: Option<Option<String>>,
    /// The trip request (`requests.id`).
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub request_id: Option<Option<Uuid>>,
    /// The workflow step, any text.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "requesting_quotes")]
    pub current_step: Option<Option<String>>,
    /// Merged into the stored object, key by key; a key that is null is removed. The merged object has at most 256 KiB and 64 levels;
    /// a number at most 128 characters and an exponent from -128 to 128. The key `avinode_trip` belongs to the service.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub workflow_state: Option<Option<Map<String, Value>>>,
    /// The number of quotes expected.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, minimum = 0)]
    pub quotes_expected_count: Option<Option<i32>>,
    /// The number of operators contacted.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i32>, minimum = 0)]
    pub operators_contacted_count: Option<Option<i32>>,
    /// The new status, as by pausing or resuming the session; it cannot be cleared.
    #[serde(default, deserialize_with = "not_null", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = OpenStatus, required = false)]
    pub status: Option<OpenStatus>,
    /// The type of the conversation; null sets `general`. Refused where the application's `chat_sessions` has no column for it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ConversationType>)]
    pub conversation_type: Option<Option<ConversationType>>,
    /// The application's own data. Merged into the stored object, key by key; a key that is null is removed. The bounds are those of
    /// `workflow_state`.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub metadata: Option<Option<Map<String, Value>>>,
}

fn not_null<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    // Read by itself, an enum would report null as invalid JSON.
    match Option::deserialize(deserializer)? {
        Some(value) => Ok(Some(value)),
        None => Err(D::Error::custom("must not be null")),
    }
}

pub(super) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Merges `patch` into `target`. A target that is not an object is replaced by one, as RFC 7396 says.
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
mod tests;
