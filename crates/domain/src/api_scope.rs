//! The scope of a token of the HTTP API.

use strum::{EnumString, FromRepr, IntoStaticStr};

/// Each scope includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, EnumString, FromRepr)]
#[repr(u8)]
#[strum(serialize_all = "snake_case")]
pub enum ApiScope {
    /// Reads everything, also the operator API.
    Read,
    /// Changes sessions.
    Write,
    /// Changes jobs and deliveries by the operator API.
    Admin,
}

impl ApiScope {
    /// The word in `INGEST_API_TOKENS` and in the API's problems.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
