//! The Basic credentials of a webhook setting: from AVINODE_WEBHOOK_BASIC or a file, never from the command line, and never
//! printed.

use secrecy::SecretString;

use super::CredentialArgs;
use crate::avinode::client::webhook_settings::WebhookSetting;
use crate::avinode::signature::secrets::BasicAuth;
use crate::cli::error::{CliError, Context};
use crate::config::secret::entries;
use crate::config::webhook::WEBHOOK_BASIC;

/// Identifier and secret.
pub(super) type WebhookCredentials = (String, SecretString);

/// Returns the credentials with the identifier of the arguments, or else the first; `None` where none are configured.
pub(super) fn chosen(args: &CredentialArgs) -> Result<Option<WebhookCredentials>, CliError> {
    let configured = configured(args)?;
    match &args.identifier {
        None => Ok(configured.into_iter().next().map(credentials)),
        Some(_) if configured.is_empty() => Ok(None),
        Some(identifier) => match with_identifier(configured, identifier) {
            Some(credentials) => Ok(Some(credentials)),
            None => Err(CliError::setting(format!(
                "--identifier: no credentials have the identifier {identifier:?}"
            ))),
        },
    }
}

/// Returns the credentials to write back to a setting: the chosen ones, or else the configured ones with its identifier.
pub(super) fn for_setting(
    args: &CredentialArgs,
    setting: &WebhookSetting,
) -> Result<Option<WebhookCredentials>, CliError> {
    if args.identifier.is_some() || args.credentials_file.is_some() {
        return chosen(args);
    }
    let configured = configured(args)?;
    let identifier = setting.identifier.as_deref();
    Ok(identifier.and_then(|identifier| with_identifier(configured, identifier)))
}

fn configured(args: &CredentialArgs) -> Result<Vec<BasicAuth>, CliError> {
    let Some(file) = &args.credentials_file else {
        return Ok(entries(WEBHOOK_BASIC, args.webhook_basic.as_ref(), BasicAuth::parse)?);
    };
    let text = std::fs::read_to_string(file).context(format!("read {}", file.display()))?;
    let name = format!("--credentials-file {}", file.display());
    let configured = entries(&name, Some(&text.into()), BasicAuth::parse)?;
    if configured.is_empty() {
        return Err(CliError::setting(format!("{name}: the file has no credentials")));
    }
    Ok(configured)
}

fn with_identifier(configured: Vec<BasicAuth>, identifier: &str) -> Option<WebhookCredentials> {
    let found = configured.into_iter().find(|basic| basic.identifier == identifier);
    found.map(credentials)
}

fn credentials(basic: BasicAuth) -> WebhookCredentials {
    (basic.identifier, basic.secret)
}

#[cfg(test)]
mod tests;
