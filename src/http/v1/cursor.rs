//! Cursors: a place in a list, as text that callers hand back and do not read. A letter says of which list.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::domain::chat_session::page::SessionCursor;

/// A place that can be written into a cursor.
pub trait CursorKey: Sized {
    /// The letter of its list.
    const LIST: u8;

    /// Its bytes.
    fn bytes(&self) -> Vec<u8>;

    /// The place of these bytes, if they are some.
    fn of(bytes: &[u8]) -> Option<Self>;
}

/// Writes a cursor.
pub fn write<P: CursorKey>(place: &P) -> String {
    let mut bytes = vec![P::LIST];
    bytes.extend(place.bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a cursor; `None` when it is none of this list.
pub fn read<P: CursorKey>(cursor: &str) -> Option<P> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    let (list, bytes) = bytes.split_first()?;
    (*list == P::LIST).then(|| P::of(bytes)).flatten()
}

impl CursorKey for SessionCursor {
    const LIST: u8 = b's';

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.last_activity.to_be_bytes().to_vec();
        bytes.extend(self.id.as_bytes());
        bytes
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let (activity, id) = bytes.split_at_checked(8)?;
        Some(Self {
            last_activity: i64::from_be_bytes(activity.try_into().ok()?),
            id: Uuid::from_slice(id).ok()?,
        })
    }
}

/// A place in a session's quotes.
impl CursorKey for String {
    const LIST: u8 = b'q';

    fn bytes(&self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        (!text.contains('\0')).then(|| text.to_owned())
    }
}

/// A place in a timeline.
impl CursorKey for i64 {
    const LIST: u8 = b't';

    fn bytes(&self) -> Vec<u8> {
        self.to_be_bytes().to_vec()
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        Some(Self::from_be_bytes(bytes.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests;
