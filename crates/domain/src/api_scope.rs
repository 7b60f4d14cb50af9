//! The scope of a token of the HTTP API.

/// A write token may read as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiScope {
    Read,
    Write,
}

impl ApiScope {
    /// The word in `INGEST_API_TOKENS` and in the API's problems.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
        }
    }

    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Read, Self::Write]
            .into_iter()
            .find(|scope| scope.as_str() == word)
    }
}
