//! Sends one webhook: a POST without redirects and proxies, whose response is read no further than its head.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, redirect};

use super::target::NotifyTarget;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The header that has one item for each secret.
const SIGNATURE: &str = "webhook-signature";
/// The longest time, in seconds, for which a receiver may ask to be left alone.
const MAX_RETRY_AFTER: u64 = 3600;

/// No client could be made, for example because the machine has no root certificates.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct ClientError(reqwest::Error);

/// The failure of a call. No text contains the URL, or anything of the response but its status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    #[error("the receiver at INGEST_NOTIFY_URL answered {status}")]
    Status { status: u16, retry_after: Option<Duration> },
    #[error("no answer from the receiver at INGEST_NOTIFY_URL: {0}")]
    NoAnswer(&'static str),
}

#[derive(Debug, Clone)]
pub struct NotifySender {
    client: Client,
    target: Arc<NotifyTarget>,
}

impl NotifySender {
    /// # Errors
    /// The machine makes no client.
    pub fn new(target: Arc<NotifyTarget>) -> Result<Self, ClientError> {
        // Installed once per process; later calls fail, and the same provider is there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(target.call_timeout)
            .user_agent(concat!("avinode-ingest/", env!("CARGO_PKG_VERSION")));
        let client = match target.url.scheme() {
            "https" => client.https_only(true).build(),
            // A machine without root certificates can make this client as well.
            _ => client.tls_certs_only([]).build(),
        };
        let client = client.map_err(ClientError)?;
        Ok(Self { client, target })
    }

    /// Sends a body under this id. Only a 2xx acknowledges it.
    ///
    /// # Errors
    /// The receiver may have read it all the same.
    pub async fn send(&self, id: &str, body: Vec<u8>, now: DateTime<Utc>) -> Result<(), SendError> {
        let mut request = self.client.post(self.target.url.clone());
        for (name, value) in self.headers(id, &body, now) {
            request = request.header(name, value);
        }
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let response = request.send().await.map_err(|error| no_answer(&error))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status => Err(SendError::Status {
                status: status.as_u16(),
                retry_after: retry_after(response.headers()),
            }),
        }
    }

    /// The headers of the first secret, with the signatures of all.
    fn headers(&self, id: &str, body: &[u8], now: DateTime<Utc>) -> Vec<(&'static str, String)> {
        let mut signed = self.target.signers.iter().map(|signer| signer.sign(id, body, now));
        let mut headers = signed.next().unwrap_or_default();
        for (_, further) in signed.flatten().filter(|(name, _)| *name == SIGNATURE) {
            for (_, value) in headers.iter_mut().filter(|(name, _)| *name == SIGNATURE) {
                value.push(' ');
                value.push_str(&further);
            }
        }
        headers
    }
}

/// The library's own text would name the URL.
fn no_answer(error: &reqwest::Error) -> SendError {
    SendError::NoAnswer(match () {
        () if error.is_connect() => "the connection failed",
        () if error.is_timeout() => "it took too long",
        () => "the connection ended early",
    })
}

/// Seconds only: a date would be compared with another clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.clamp(1, MAX_RETRY_AFTER)))
}

#[cfg(test)]
mod tests;
