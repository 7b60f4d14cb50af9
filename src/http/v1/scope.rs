//! The scopes of API tokens.

/// Permissions of an API token. `Write` includes `Read`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ApiScope {
    Read,
    Write,
}
