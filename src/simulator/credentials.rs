//! What a caller of the API must send along: the credentials, and headers that integrators' code shows.

use std::time::Duration;

use axum::http::HeaderMap;
use chrono::{DateTime, Utc};

/// How far a caller's clock may be off.
const SKEW: Duration = Duration::from_secs(5 * 60);

/// What callers must know. They protect nothing but the stand-in itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiCredentials {
    /// `X-Avinode-ApiToken`.
    pub api_token: String,
    /// The token after `Authorization: Bearer`.
    pub bearer: String,
}

impl Default for ApiCredentials {
    fn default() -> Self {
        Self {
            api_token: "simulated-api-token".to_owned(),
            bearer: "simulated-bearer".to_owned(),
        }
    }
}

/// What is wrong with a call, and its status.
pub type AuthFailure = (u16, &'static str);

impl ApiCredentials {
    /// Whether a call with these headers, now, is let in.
    pub fn check(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Result<(), AuthFailure> {
        let said = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if said("authorization") != Some(&format!("Bearer {}", self.bearer)) {
            return Err((401, "Authorization is not the bearer"));
        }
        if said("x-avinode-apitoken") != Some(&self.api_token) {
            return Err((401, "X-Avinode-ApiToken is not the token"));
        }
        let sent = said("x-avinode-senttimestamp").and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let Some(sent) = sent else {
            return Err((400, "X-Avinode-SentTimestamp is missing or no ISO 8601 moment"));
        };
        if (now - sent.to_utc()).abs().to_std().is_ok_and(|off| off > SKEW) {
            return Err((401, "X-Avinode-SentTimestamp is more than five minutes off"));
        }
        if said("x-avinode-apiversion") != Some("v1.0") {
            return Err((400, "X-Avinode-ApiVersion is not v1.0"));
        }
        // Name/Version.
        if said("x-avinode-product").is_none_or(|product| product.split_once('/').is_none()) {
            return Err((400, "X-Avinode-Product is not Name/Version"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
