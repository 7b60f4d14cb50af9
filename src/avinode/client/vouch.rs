//! Whether a notification's `href` is what we would fetch for its id anyway. The answer is all that `href` is good for:
//! it is compared and never followed.

use super::base_url::BaseUrl;
use crate::avinode::parse_error::quoted;
use crate::avinode::resource::Resource;

/// Why nothing is fetched; an operator's matter. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("refused to fetch: {0}")]
pub struct HrefMismatch(String);

impl HrefMismatch {
    /// The id cannot stand in a URL.
    pub(super) fn odd_id(id: &str) -> Self {
        Self(format!("the id `{}` has not the shape of Avinode's ids", quoted(id)))
    }
}

impl BaseUrl {
    /// Whether `href` is exactly the URL of this resource: byte for byte, so also in case and encoding, without user
    /// info, query, fragment or a slash at the end. The one freedom is `:443` written out behind an https host.
    ///
    /// # Errors
    /// It is another URL, or the id can stand in none.
    pub fn verify_href(&self, href: &str, resource: &Resource) -> Result<(), HrefMismatch> {
        let expected = self.of(resource)?;
        let expected = expected.as_str();
        let parts = expected.strip_prefix("https://").and_then(|rest| rest.split_once('/'));
        let with_port = parts
            .filter(|(host, _)| !host.contains(':'))
            .map(|(host, path)| format!("https://{host}:443/{path}"));
        if href == expected || with_port.is_some_and(|with_port| href == with_port) {
            return Ok(());
        }
        Err(HrefMismatch(format!(
            "href `{}` is not {expected}, and nothing else is fetched for that id",
            quoted(href)
        )))
    }
}

#[cfg(test)]
mod tests;
