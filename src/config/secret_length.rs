//! Secrets that could be found by trying.

use std::fmt;

use secrecy::ExposeSecret;

use super::secret::ApiToken;
use super::setting_error::SettingError;
use super::webhook::WebhookArgs;

/// The least length of a secret that is not warned of.
const MIN_BYTES: usize = 16;

/// The short entries of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShortSecrets {
    setting: &'static str,
    /// Counted from 1.
    entries: Vec<usize>,
}

impl fmt::Display for ShortSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries: Vec<String> = self.entries.iter().map(ToString::to_string).collect();
        let (setting, entries) = (self.setting, entries.join(", "));
        write!(f, "{setting}: entry {entries} is shorter than {MIN_BYTES} bytes")
    }
}

/// Returns the settings with short secrets.
pub fn short_secrets(webhook: &WebhookArgs, tokens: &[ApiToken]) -> Result<Vec<ShortSecrets>, SettingError> {
    let (signing, basic) = (webhook.secrets()?, webhook.basic()?);
    let signing = signing.iter().map(|secret| secret.key().expose_secret().len());
    let basic = basic.iter().map(|basic| basic.secret.expose_secret().len());
    let tokens = tokens.iter().map(|token| token.token.expose_secret().len());
    let settings = [
        short("AVINODE_WEBHOOK_SECRET", signing),
        short("AVINODE_WEBHOOK_BASIC", basic),
        short("INGEST_API_TOKENS", tokens),
    ];
    Ok(settings.into_iter().flatten().collect())
}

fn short(setting: &'static str, lengths: impl Iterator<Item = usize>) -> Option<ShortSecrets> {
    let short = lengths.enumerate().filter(|(_, length)| *length < MIN_BYTES);
    let entries: Vec<usize> = short.map(|(index, _)| index + 1).collect();
    (!entries.is_empty()).then_some(ShortSecrets { setting, entries })
}
