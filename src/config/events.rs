//! The settings of what tells other programs about changes: streams of events, and webhooks that the service sends.

use std::sync::Arc;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::secret::entries;
use super::setting_error::SettingError;
use super::transport::{is_local, unencrypted};
use super::value_parsers::{boolean, integer_in};
use crate::avinode::signature::secrets::WebhookSecret;
use crate::avinode::signature::signer::Signer;
use crate::notify::target::NotifyTarget;

const URL: &str = "INGEST_NOTIFY_URL (--notify-url)";
const SECRET: &str = "INGEST_NOTIFY_SECRET (--notify-secret)";
/// The least length of a key, as Standard Webhooks demands it.
const MIN_KEY_BYTES: usize = 24;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Changes")]
pub struct EventArgs {
    /// Maximum number of open streams of events (`GET /v1/sessions/events`) in this process (1 to 10000). Each is an HTTP connection;
    /// all share one reader of the database, and one more database connection that listens while a stream is open.
    #[arg(long, env = "INGEST_EVENT_STREAMS", value_name = "COUNT", default_value = "100",
          value_parser = integer_in::<usize>(1, 10_000))]
    pub event_streams: usize,

    /// URL that gets a webhook about each changed session: https, or http on this machine. It may contain a secret, and is not
    /// logged. Set it together with INGEST_NOTIFY_SECRET, for all processes alike. Read at startup only.
    #[arg(long, env = "INGEST_NOTIFY_URL", hide_env_values = true, value_name = "URL")]
    pub notify_url: Option<SecretString>,

    /// Secrets that sign these webhooks as Standard Webhooks describes it: whsec_ and at least 24 bytes in base64, separated by commas
    /// or white space. Each adds a signature. Read at startup only.
    #[arg(long, env = "INGEST_NOTIFY_SECRET", hide_env_values = true, value_name = "SECRETS")]
    pub notify_secret: Option<SecretString>,

    /// Allow http to another machine in INGEST_NOTIFY_URL: for a private network.
    #[arg(long, env = "INGEST_NOTIFY_ALLOW_HTTP", value_parser = boolean)]
    pub notify_allow_http: bool,
}

impl EventArgs {
    /// Returns the receiver of webhooks, or `None` where none is set.
    pub fn target(&self) -> Result<Option<Arc<NotifyTarget>>, SettingError> {
        let signers = entries(SECRET, self.notify_secret.as_ref(), signer)?;
        let url = self.notify_url.as_ref().map(|url| url.expose_secret().trim());
        match (url.filter(|url| !url.is_empty()), signers.is_empty()) {
            (None, true) => Ok(None),
            (Some(_), true) => Err(SettingError::new(
                SECRET,
                format_args!("must be set together with {URL}: a receiver verifies the sender by it"),
            )),
            (None, false) => Err(SettingError::new(
                URL,
                format_args!("must be set together with {SECRET}"),
            )),
            (Some(url), false) => Ok(Some(Arc::new(NotifyTarget::new(self.url(url)?, signers)))),
        }
    }

    /// No error has the value, which may contain a secret.
    fn url(&self, text: &str) -> Result<Url, SettingError> {
        let wrong = |problem: &str| SettingError::new(URL, problem);
        let url: Url = text.parse().map_err(|_| wrong("the value is not a URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "the value must have no user name and no password: webhooks are signed",
            ));
        }
        let Some(is_local) = is_local(&url) else {
            return Err(wrong("the value has no host"));
        };
        match url.scheme() {
            "https" => Ok(url),
            "http" if is_local || self.notify_allow_http => Ok(url),
            "http" => Err(wrong(&unencrypted("http", "https", "INGEST_NOTIFY_ALLOW_HTTP"))),
            _ => Err(wrong("the value is neither an https nor an http URL")),
        }
    }
}

fn signer(text: &str) -> Result<Signer, &'static str> {
    match WebhookSecret::parse(text) {
        Ok(WebhookSecret::Standard(key)) if key.expose_secret().len() < MIN_KEY_BYTES => {
            Err("is shorter than 24 bytes; make one with: echo whsec_$(openssl rand -base64 32)")
        }
        Ok(secret @ WebhookSecret::Standard(_)) => Ok(Signer::with_secret(secret)),
        _ => Err("is not whsec_ and base64; make one with: echo whsec_$(openssl rand -base64 32)"),
    }
}

#[cfg(test)]
mod tests;
