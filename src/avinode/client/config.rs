//! What a client of Avinode is made of, as plain values; `cli` makes them of the configuration.

use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use super::base_url::BaseUrl;

/// Everything that `serve` needs to fetch: the client, and how often it may call.
#[derive(Debug, Clone)]
pub struct AvinodeSettings {
    /// The client.
    pub client: ClientSettings,
    /// Calls a second, of all processes together; above zero.
    pub calls_per_second: f64,
    /// Calls that may follow one another at once before that rate holds; at least 1.
    pub burst: u32,
    /// How long after a notification the API may still show what was before; above zero.
    pub settle: Duration,
    /// How often the trips of active sessions are fetched anew without a notification; never where `None`.
    pub reconcile_every: Option<Duration>,
}

/// Where the API is, and as whom we call it.
#[derive(Debug, Clone)]
pub struct ClientSettings {
    /// The API.
    pub base: BaseUrl,
    /// For `X-Avinode-ApiToken`: visible ASCII.
    pub api_token: SecretString,
    /// For `Authorization: Bearer`: visible ASCII.
    pub bearer: SecretString,
    /// For `X-Avinode-ActAsAccount`: visible ASCII.
    pub act_as_account: Option<String>,
    /// Ends to waiting and reading.
    pub limits: ClientLimits,
}

impl ClientSettings {
    /// SHA-256, in hex, of all that decides whether Avinode lets us in: tells whether credentials have changed without
    /// keeping them.
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
            // With its length before it: else the end of one could be the beginning of the next.
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        hex::encode(digest.finalize())
    }
}

/// Where one call ends, whatever the other side does.
#[derive(Debug, Clone, Copy)]
pub struct ClientLimits {
    /// For a connection, its name's resolution and TLS included.
    pub connect: Duration,
    /// For the whole call, to the last byte of the body.
    pub total: Duration,
    /// Bytes of a body after decompression.
    pub body: usize,
}

impl Default for ClientLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            // Below the default lease, so that a slow answer costs no lease.
            total: Duration::from_secs(30),
            body: 4 * 1024 * 1024,
        }
    }
}

#[cfg(test)]
mod tests;
