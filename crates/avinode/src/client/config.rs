//! The client's settings as plain values; `cli` builds them from the configuration.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::base_url::BaseUrl;
use super::query_parameters::QueryParameters;

/// The settings with which `serve` fetches.
#[derive(Debug, Clone)]
pub struct AvinodeSettings {
    pub client: ClientSettings,
    /// For all processes together; above zero.
    pub calls_per_second: f64,
    /// Calls allowed without a pause before the rate applies; at least 1.
    pub burst: u32,
    /// The time for which the API may lag behind its notifications; above zero.
    pub api_lag: Duration,
    /// The interval at which the trips of active sessions are fetched without a notification; `None` for never.
    pub reconcile_every: Option<Duration>,
}

/// The API's URL and our credentials.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    pub base: BaseUrl,
    /// For `X-Avinode-ApiToken`: visible ASCII.
    pub api_token: SecretString,
    /// For `Authorization: Bearer`: visible ASCII.
    pub bearer: SecretString,
    /// For `X-Avinode-ActAsAccount`: visible ASCII.
    pub act_as_account: Option<String>,
    pub query_parameters: QueryParameters,
    pub limits: ClientLimits,
}

impl ClientSettings {
    /// SHA-256, in hex, of the base URL and the credentials: a stored digest shows that they changed, without storing them.
    pub fn digest(&self) -> String {
        let account = self.act_as_account.as_deref().unwrap_or_default();
        let parts = [
            self.base.as_str(),
            self.api_token.expose_secret(),
            self.bearer.expose_secret(),
            account,
        ];
        let mut digest = Sha256::new();
        for part in parts {
            // With its length: otherwise the end of one part could equal the beginning of the next.
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        hex::encode(digest.finalize())
    }
}

/// The limits of one call.
#[derive(Debug, Clone, Copy)]
pub struct ClientLimits {
    /// For the connection, DNS and TLS included.
    pub connect: Duration,
    /// For the whole call, to the last byte of the body.
    pub total: Duration,
    /// The longest body, in bytes after decompression.
    pub body: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            // Shorter than the default lease, so that a slow response does not lose the lease.
            total: Duration::from_secs(30),
            body: 4 * 1024 * 1024,
        }
    }
}

#[cfg(test)]
mod tests;
