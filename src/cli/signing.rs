//! What `replay` and `sign` sign with: the secret they were given, or the first configured one.

use secrecy::{ExposeSecret, SecretString};

use super::error::CliError;
use crate::avinode::signature::signer::Signer;
use crate::config::secret::{Secrets, signing_secret};
use crate::config::webhook::WebhookArgs;

/// The secret to sign with.
#[derive(Debug, clap::Args)]
pub struct SigningArgs {
    /// The secret to sign with. Default: the first of AVINODE_WEBHOOK_SECRET, or else of AVINODE_WEBHOOK_BASIC.
    #[arg(long, hide_env_values = true, value_name = "SECRET", value_parser = signing_secret)]
    pub secret: Option<SecretString>,

    /// The configured ones.
    #[command(flatten)]
    pub webhook: WebhookArgs,
}

impl SigningArgs {
    /// The signer.
    pub fn signer(&self) -> Result<Signer, CliError> {
        let given = self.secret.as_ref().map(ExposeSecret::expose_secret);
        let secret = given.or(self.webhook.webhook_secret.as_ref().map(Secrets::first));
        let basic = self.webhook.webhook_basic.as_ref().map(Secrets::first);
        let signer = Signer::from_settings(secret, basic).map_err(|error| CliError::setting(error.to_string()))?;
        signer.ok_or_else(|| {
            CliError::setting(
                "--secret, AVINODE_WEBHOOK_SECRET (--webhook-secret) or AVINODE_WEBHOOK_BASIC (--webhook-basic) must \
                 be set: there is nothing to sign with",
            )
        })
    }
}
