//! Settings of alerts: the conditions, and the channels.

use std::time::Duration;

use lettre::message::Mailbox;
use secrecy::SecretString;

use crate::avinode::signature::secrets::WebhookSecret;
use crate::domain::working_hours::WorkingHours;

#[derive(Debug, Clone)]
pub struct AlertSettings {
    pub webhook: Option<AlertWebhook>,
    pub email: Option<AlertEmail>,
    pub conditions: AlertConditions,
    /// The time between two looks.
    pub every: Duration,
}

#[derive(Debug, Clone)]
pub struct AlertWebhook {
    /// Secret: the URL of a chat's webhook authorises posting to it.
    pub url: SecretString,
    /// Signs by Standard Webhooks.
    pub secret: Option<WebhookSecret>,
}

#[derive(Debug, Clone)]
pub struct AlertEmail {
    /// `smtps://user:password@host:port` and the like.
    pub url: SecretString,
    pub from: Mailbox,
    pub to: Vec<Mailbox>,
}

#[derive(Debug, Clone, Copy)]
pub struct AlertConditions {
    /// The least time between two alerts of a kind.
    pub pause: Duration,
    /// The time for which a due job may wait.
    pub oldest_job: Option<Duration>,
    /// The working time without a delivery.
    pub no_delivery: Option<Duration>,
    pub working_hours: WorkingHours,
}
