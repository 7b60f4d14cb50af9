//! Sends alerts to a webhook: the JSON that incoming webhooks of Slack accept, signed by Standard Webhooks.

use chrono::{DateTime, Utc};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::alert_error::AlertError;
use super::outbox::OutgoingAlert;
use super::settings::AlertWebhook;
use crate::avinode::signature::signer::Signer;

pub struct WebhookSender {
    client: Client,
    url: SecretString,
    signer: Option<Signer>,
}

impl WebhookSender {
    /// # Errors
    /// The machine has no root certificates.
    pub fn new(settings: &AlertWebhook) -> Result<Self, AlertError> {
        // Installed once per process; later calls fail, and the same provider is there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(concat!("avinode-ingest/", env!("CARGO_PKG_VERSION")));
        if settings.url.expose_secret().starts_with("http:") {
            // Without this, a machine without root certificates could not build a client, although none are needed here.
            client = client.tls_certs_only([]);
        }
        Ok(Self {
            client: client.build().map_err(|error| cause(&error.without_url()))?,
            url: settings.url.clone(),
            signer: settings.secret.clone().map(Signer::with_secret),
        })
    }

    /// Any status of success counts. The id is the same in each attempt, so that a receiver can leave out repetitions.
    pub(super) async fn send(&self, alert: &OutgoingAlert, now: DateTime<Utc>) -> Result<(), AlertError> {
        let body = json!({"text": alert.text}).to_string();
        let mut request = self.client.post(self.url.expose_secret());
        if let Some(signer) = &self.signer {
            for (name, value) in signer.sign(&alert.id.to_string(), body.as_bytes(), now) {
                request = request.header(name, value);
            }
        }
        let sent = request.header(CONTENT_TYPE, "application/json").body(body).send().await;
        let status = sent.map_err(|error| cause(&error.without_url()))?.status();
        match status.is_success() {
            true => Ok(()),
            false => Err(AlertError(format!("the webhook responded with {}", status.as_u16()))),
        }
    }
}

/// An error and its causes, in one line.
fn cause(error: &(dyn std::error::Error + 'static)) -> AlertError {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<String> = causes.map(ToString::to_string).collect();
    AlertError(causes.join(": "))
}
