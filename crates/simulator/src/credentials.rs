//! Checks the headers of API calls: credentials, and the headers that the code of integrators shows.

use std::time::Duration;

use axum::http::HeaderMap;
use chrono::{DateTime, Utc};

const MAX_CLOCK_SKEW: Duration = Duration::from_secs(5 * 60);

/// The expected credentials. They protect nothing but the simulator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiCredentials {
    /// The value of `X-Avinode-ApiToken`.
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

/// The HTTP status and the reason.
pub type AuthFailure = (u16, &'static str);

impl ApiCredentials {
    pub fn check(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Result<(), AuthFailure> {
        let value = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if value("authorization") != Some(&format!("Bearer {}", self.bearer)) {
            return Err((401, "Authorization is not the bearer"));
        }
        if value("x-avinode-apitoken") != Some(&self.api_token) {
            return Err((401, "X-Avinode-ApiToken is not the token"));
        }
        let sent = value("x-avinode-senttimestamp").and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let Some(sent) = sent else {
            return Err((400, "X-Avinode-SentTimestamp is missing or not an ISO 8601 timestamp"));
        };
        if (now - sent.to_utc())
            .abs()
            .to_std()
            .is_ok_and(|skew| skew > MAX_CLOCK_SKEW)
        {
            return Err((401, "X-Avinode-SentTimestamp is more than five minutes off"));
        }
        if value("x-avinode-apiversion") != Some("v1.0") {
            return Err((400, "X-Avinode-ApiVersion is not v1.0"));
        }
        if value("x-avinode-product").is_none_or(|product| !product.contains('/')) {
            return Err((400, "X-Avinode-Product is not Name/Version"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
