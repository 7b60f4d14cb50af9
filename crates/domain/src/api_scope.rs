//! The scope of a token of the HTTP API.

use strum::{EnumString, IntoStaticStr};

/// A write token may read as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, IntoStaticStr, EnumString)]
#[strum(serialize_all = "snake_case")]
pub enum ApiScope {
    Read,
    Write,
}

impl ApiScope {
    /// The word in `INGEST_API_TOKENS` and in the API's problems.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}
