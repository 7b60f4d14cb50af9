//! The secrets by which a sender is proven; the same settings sign what `replay` and `sign` make.

use clap::Args;

use super::secret::{Secrets, basic_credentials, signing_secrets};

/// Settings of the proof of the sender. Either or both; `serve` does not receive without one.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Proof of the sender")]
pub struct WebhookArgs {
    /// HMAC-SHA256 signing secrets, several separated by commas or white space, for rotation. One that begins with
    /// whsec_ is a Standard Webhooks secret.
    #[arg(long, env = "AVINODE_WEBHOOK_SECRET", hide_env_values = true, value_name = "SECRETS",
          value_parser = signing_secrets)]
    pub webhook_secret: Option<Secrets>,

    /// HTTP Basic credentials as identifier:secret (the secret may hold a colon), several separated by commas or white
    /// space, for rotation.
    #[arg(long, env = "AVINODE_WEBHOOK_BASIC", hide_env_values = true, value_name = "CREDENTIALS",
          value_parser = basic_credentials)]
    pub webhook_basic: Option<Secrets>,
}

impl WebhookArgs {
    /// Whether there is any way to prove a sender.
    pub fn is_configured(&self) -> bool {
        self.webhook_secret.is_some() || self.webhook_basic.is_some()
    }
}
