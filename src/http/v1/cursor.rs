//! Cursors: a position in a list as opaque text. The name of the list is part of it, so that a cursor of another list
//! is rejected.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::domain::chat_session::page::SessionCursor;

/// A position that a cursor can hold.
pub trait CursorKey: Serialize + DeserializeOwned {
    const LIST: &'static str;
}

impl CursorKey for SessionCursor {
    const LIST: &'static str = "sessions";
}

impl CursorKey for String {
    const LIST: &'static str = "quotes";
}

impl CursorKey for i64 {
    const LIST: &'static str = "timeline";
}

pub fn encode<K: CursorKey>(key: &K) -> String {
    URL_SAFE_NO_PAD.encode(json!([K::LIST, key]).to_string())
}

/// Returns `None` for text that is not a cursor of this list.
pub fn decode<K: CursorKey>(cursor: &str) -> Option<K> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (list, key) = serde_json::from_slice::<(String, K)>(&bytes).ok()?;
    (list == K::LIST).then_some(key)
}

#[cfg(test)]
mod tests;
