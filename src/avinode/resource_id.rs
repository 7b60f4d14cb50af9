//! The id of a resource at Avinode, whatever kind of resource it is. The ids that the rules use have a type each in
//! [`crate::domain::ids`]; this one only names what is to be fetched.

use std::fmt;

use crate::domain::ids::{EventId, IdError};

/// A resource's id as a thin notification gives it, for example `arfq-12345678`; case kept.
///
/// Documented as `[a-zA-Z]+-[\d]+(-[^-]+)?`, but not held to that: an id of a new shape must not lose a notification.
/// Whoever puts it into a URL has to check it for that.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(String);

impl ResourceId {
    /// Checks a text as every id is checked: trimmed, not empty, at most
    /// [`MAX_ID_BYTES`](crate::domain::ids::MAX_ID_BYTES), no control characters.
    ///
    /// # Errors
    /// The check that failed.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        // Event ids have the same rule; it stands in one place.
        EventId::parse(text).map(|id| Self(id.as_str().to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
