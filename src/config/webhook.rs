//! The secrets that authenticate the sender of a delivery; `replay` and `sign` sign with the same ones.

use clap::Args;
use secrecy::SecretString;

use super::secret::entries;
use super::setting_error::SettingError;
use crate::avinode::signature::secrets::{BasicAuth, WebhookSecret};

/// Both names of the setting of signing secrets.
pub const WEBHOOK_SECRET: &str = "AVINODE_WEBHOOK_SECRET (--webhook-secret)";
/// Both names of the setting of Basic credentials.
pub const WEBHOOK_BASIC: &str = "AVINODE_WEBHOOK_BASIC (--webhook-basic)";

/// `serve` receives only where at least one of the two is set.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Webhook authentication")]
pub struct WebhookArgs {
    /// HMAC-SHA256 signing secrets, separated by commas or white space. One that begins with whsec_ is a Standard Webhooks
    /// secret.
    #[arg(long, env = "AVINODE_WEBHOOK_SECRET", hide_env_values = true, value_name = "SECRETS")]
    pub webhook_secret: Option<SecretString>,

    /// HTTP Basic credentials as identifier:secret, separated by commas or white space. The secret may contain colons.
    #[arg(
        long,
        env = "AVINODE_WEBHOOK_BASIC",
        hide_env_values = true,
        value_name = "CREDENTIALS"
    )]
    pub webhook_basic: Option<SecretString>,
}

impl WebhookArgs {
    pub fn secrets(&self) -> Result<Vec<WebhookSecret>, SettingError> {
        entries(WEBHOOK_SECRET, self.webhook_secret.as_ref(), WebhookSecret::parse)
    }

    pub fn basic(&self) -> Result<Vec<BasicAuth>, SettingError> {
        entries(WEBHOOK_BASIC, self.webhook_basic.as_ref(), BasicAuth::parse)
    }
}
