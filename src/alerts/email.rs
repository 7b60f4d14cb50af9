//! Sends alerts by e-mail.

use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use secrecy::ExposeSecret as _;

use super::alert_error::AlertError;
use super::outbox::OutgoingAlert;
use super::settings::AlertEmail;

pub struct EmailSender {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl EmailSender {
    /// # Errors
    /// The URL is invalid; the error does not hold it.
    pub fn new(settings: &AlertEmail) -> Result<Self, AlertError> {
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(settings.url.expose_secret());
        // Its error may quote the URL.
        let builder = builder.map_err(|_| AlertError("the URL of the mail server is invalid".to_owned()))?;
        Ok(Self {
            transport: builder.build(),
            from: settings.from.clone(),
            to: settings.to.clone(),
        })
    }

    pub(super) async fn send(&self, alert: &OutgoingAlert) -> Result<(), AlertError> {
        let mut message = Message::builder()
            .from(self.from.clone())
            .message_id(Some(format!("<{}@avinode-ingest>", alert.id)))
            .subject(format!("avinode-ingest: {}", alert.kind.title()))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        let failed = |error: &dyn std::fmt::Display| AlertError(error.to_string());
        let message = message.body(alert.text.clone()).map_err(|error| failed(&error))?;
        let sent = self.transport.send(message).await;
        sent.map(drop).map_err(|error| failed(&error))
    }
}
