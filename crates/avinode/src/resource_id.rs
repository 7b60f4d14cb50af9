//! The id of an Avinode resource of any kind. The rules have their own id types in [`ingest_domain::ids`]; this one
//! identifies a resource to fetch.

use std::fmt;

use ingest_domain::ids::{EventId, IdError};

/// A resource's id as in a thin notification, for example `arfq-12345678`; the case is kept.
///
/// Documented as `[a-zA-Z]+-[\d]+(-[^-]+)?`, but not checked for it: an id of a new shape must not lose a notification. Code
/// that puts an id into a URL checks its shape.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId(String);

impl ResourceId {
    /// Trims and checks a text as every id: not empty, at most
    /// [`MAX_ID_BYTES`](ingest_domain::ids::MAX_ID_BYTES), no control characters.
    ///
    /// # Errors
    /// The check that failed.
    pub fn parse(text: &str) -> Result<Self, IdError> {
        // The same rule as for event ids.
        EventId::parse(text).map(|id| Self(id.as_str().to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
