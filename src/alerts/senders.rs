//! Sends over the configured channels.

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::timeout;

use super::alert_error::AlertError;
use super::channel::AlertChannel;
use super::email::EmailSender;
use super::outbox::OutgoingAlert;
use super::settings::AlertSettings;
use super::webhook::WebhookSender;

/// The longest time of one sending.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The configured channels.
pub struct AlertSenders {
    webhook: Option<WebhookSender>,
    email: Option<EmailSender>,
}

impl AlertSenders {
    /// # Errors
    /// A URL is invalid, or the machine has no root certificates.
    pub fn new(settings: &AlertSettings) -> Result<Self, AlertError> {
        Ok(Self {
            webhook: settings.webhook.as_ref().map(WebhookSender::new).transpose()?,
            email: settings.email.as_ref().map(EmailSender::new).transpose()?,
        })
    }

    pub fn channels(&self) -> Vec<AlertChannel> {
        let webhook = self.webhook.is_some().then_some(AlertChannel::Webhook);
        let email = self.email.is_some().then_some(AlertChannel::Email);
        webhook.into_iter().chain(email).collect()
    }

    pub async fn send(
        &self,
        channel: AlertChannel,
        alert: &OutgoingAlert,
        now: DateTime<Utc>,
    ) -> Result<(), AlertError> {
        let sending = async {
            match (channel, &self.webhook, &self.email) {
                (AlertChannel::Webhook, Some(webhook), _) => webhook.send(alert, now).await,
                (AlertChannel::Email, _, Some(email)) => email.send(alert).await,
                _ => Ok(()),
            }
        };
        let slow = || AlertError(format!("no answer within {} s", TIMEOUT.as_secs()));
        timeout(TIMEOUT, sending).await.unwrap_or_else(|_| Err(slow()))
    }
}
