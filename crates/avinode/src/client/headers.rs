//! The request headers, as seen in several integrations.

use chrono::{DateTime, SecondsFormat, Utc};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use secrecy::ExposeSecret as _;

use super::config::ClientSettings;

/// `X-Avinode-Product` and the user agent.
pub(super) const PRODUCT: &str = concat!("avinode-ingest/", env!("CARGO_PKG_VERSION"));

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0} contains a character that is not allowed in a header")]
pub struct InvalidCredential(&'static str);

/// The headers that are the same for every call. Credentials are marked sensitive, so that `Debug` does not print them.
pub(super) fn default_headers(settings: &ClientSettings) -> Result<HeaderMap, InvalidCredential> {
    let secret = |text: &str, name| {
        let mut value = HeaderValue::from_str(text).map_err(|_| InvalidCredential(name))?;
        value.set_sensitive(true);
        Ok(value)
    };
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let bearer = format!("Bearer {}", settings.bearer.expose_secret());
    headers.insert(AUTHORIZATION, secret(&bearer, "AVINODE_BEARER")?);
    let token = secret(settings.api_token.expose_secret(), "AVINODE_API_TOKEN")?;
    headers.insert("x-avinode-apitoken", token);
    headers.insert("x-avinode-apiversion", HeaderValue::from_static("v1.0"));
    headers.insert("x-avinode-product", HeaderValue::from_static(PRODUCT));
    if let Some(account) = &settings.act_as_account {
        let account = secret(account, "AVINODE_ACT_AS_ACCOUNT")?;
        headers.insert("x-avinode-actasaccount", account);
    }
    Ok(headers)
}

/// The headers of one call: the default ones and `X-Avinode-SentTimestamp`, ISO 8601 in UTC, which Avinode accepts within
/// five minutes of its own time.
pub(super) fn request_headers(defaults: &HeaderMap, now: DateTime<Utc>) -> HeaderMap {
    let mut headers = defaults.clone();
    let sent = now.to_rfc3339_opts(SecondsFormat::Millis, true);
    if let Ok(sent) = HeaderValue::from_str(&sent) {
        headers.insert("x-avinode-senttimestamp", sent);
    }
    headers
}
