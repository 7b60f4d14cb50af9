//! Which Basic credentials a webhook setting is given: out of the service's own setting or a file, never the command
//! line's words, and never printed.

use secrecy::SecretString;

use super::CredentialArgs;
use crate::avinode::client::webhook_settings::WebhookSetting;
use crate::cli::error::{CliError, Context};
use crate::config::secret::{Secrets, basic_credentials};

/// Identifier and secret.
pub(super) type WebhookCredentials = (String, SecretString);

/// Those that the arguments choose: by the identifier, or else the first; `None` where there are none at all.
pub(super) fn chosen(args: &CredentialArgs) -> Result<Option<WebhookCredentials>, CliError> {
    let Some(known) = known(args)? else {
        return Ok(None);
    };
    match &args.identifier {
        None => Ok(split(known.first())),
        Some(identifier) => match of(&known, identifier) {
            Some(credentials) => Ok(Some(credentials)),
            None => Err(CliError::setting(format!(
                "--identifier: no credentials begin with {identifier:?}"
            ))),
        },
    }
}

/// Those to write a setting back with: the ones that are asked for, or else the known ones with its identifier.
pub(super) fn of_setting(
    args: &CredentialArgs,
    setting: &WebhookSetting,
) -> Result<Option<WebhookCredentials>, CliError> {
    if args.identifier.is_some() || args.credentials_file.is_some() {
        return chosen(args);
    }
    let known = known(args)?;
    let identifier = setting.identifier.as_deref();
    Ok(known
        .zip(identifier)
        .and_then(|(known, identifier)| of(&known, identifier)))
}

fn known(args: &CredentialArgs) -> Result<Option<Secrets>, CliError> {
    let Some(file) = &args.credentials_file else {
        return Ok(args.webhook_basic.clone());
    };
    let text = std::fs::read_to_string(file).context(format!("read {}", file.display()))?;
    let known = basic_credentials(&text);
    known
        .map(Some)
        .map_err(|wrong| CliError::setting(format!("--credentials-file: {} {wrong}", file.display())))
}

fn of(known: &Secrets, identifier: &str) -> Option<WebhookCredentials> {
    known.iter().filter_map(split).find(|(its, _)| its == identifier)
}

fn split(entry: &str) -> Option<WebhookCredentials> {
    let (identifier, secret) = entry.split_once(':')?;
    Some((identifier.to_owned(), secret.into()))
}

#[cfg(test)]
mod tests;
