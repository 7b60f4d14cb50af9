//! The signer of `replay` and `sign`: of --secret, or else of the first configured secret.

use secrecy::SecretString;

use super::error::CliError;
use crate::avinode::signature::signer::Signer;
use crate::config::secret::signing_secret;
use crate::config::webhook::{WEBHOOK_BASIC, WEBHOOK_SECRET, WebhookArgs};

#[derive(Debug, clap::Args)]
pub struct SigningArgs {
    /// Secret to sign with. Default: the first of AVINODE_WEBHOOK_SECRET, or else of AVINODE_WEBHOOK_BASIC.
    #[arg(long, hide_env_values = true, value_name = "SECRET")]
    pub secret: Option<SecretString>,

    #[command(flatten)]
    pub webhook: WebhookArgs,
}

impl SigningArgs {
    pub fn signer(&self) -> Result<Signer, CliError> {
        if let Some(secret) = &self.secret {
            return Ok(Signer::with_secret(signing_secret("--secret", secret)?));
        }
        let (secrets, basic) = (self.webhook.secrets()?, self.webhook.basic()?);
        let secret = secrets.into_iter().next().map(Signer::with_secret);
        secret.or_else(|| basic.first().map(Signer::with_basic)).ok_or_else(|| {
            CliError::setting(format!(
                "--secret, {WEBHOOK_SECRET} or {WEBHOOK_BASIC} must be set: there is nothing to sign with"
            ))
        })
    }
}
