//! Parses the two settings that contain secrets. An error names the setting and the position, never the value.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::SecretSlice;

/// The setting of HMAC and Standard Webhooks secrets.
pub const SECRET_SETTING: &str = "AVINODE_WEBHOOK_SECRET";

/// The setting of Basic credentials.
pub const BASIC_SETTING: &str = "AVINODE_WEBHOOK_BASIC";

/// Base64 with or without padding: senders' consoles show both.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An invalid setting. Never contains the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("reading {setting}: entry {ordinal} {problem}")]
pub struct VerifierConfigError {
    pub setting: &'static str,
    /// The position of the entry, from 1.
    pub ordinal: usize,
    pub problem: SecretEntryError,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretEntryError {
    /// Nothing between two commas, or after `whsec_`. An empty key would accept anyone's signature.
    #[error("is empty")]
    Empty,
    #[error("begins with whsec_ but is not base64 after it")]
    NotBase64,
    #[error("has no colon: it must be identifier:secret")]
    NoColon,
    #[error("has no identifier before its colon")]
    NoIdentifier,
    #[error("has no secret after its colon")]
    NoSecret,
}

/// The kinds of entry of [`SECRET_SETTING`].
pub(super) enum Secret {
    /// The text's own bytes are an HMAC key.
    Plain(SecretSlice<u8>),
    /// `whsec_` and a base64 key, for Standard Webhooks only.
    Standard(SecretSlice<u8>),
}

/// The entries of [`SECRET_SETTING`], in order.
pub(super) fn secrets(setting: Option<&str>) -> Result<Vec<Secret>, VerifierConfigError> {
    entries(SECRET_SETTING, setting, |text| match text.strip_prefix("whsec_") {
        None => Ok(Secret::Plain(text.as_bytes().to_vec().into())),
        Some("") => Err(SecretEntryError::Empty),
        Some(encoded) => match BASE64.decode(encoded) {
            Ok(key) if key.is_empty() => Err(SecretEntryError::Empty),
            Ok(key) => Ok(Secret::Standard(key.into())),
            Err(_) => Err(SecretEntryError::NotBase64), // the decoder's error would quote a byte of the secret
        },
    })
}

/// The entries of [`BASIC_SETTING`], in order, each built by `make(identifier, secret)`.
pub(super) fn basics<T>(setting: Option<&str>, make: fn(&str, &str) -> T) -> Result<Vec<T>, VerifierConfigError> {
    entries(BASIC_SETTING, setting, |text| match text.split_once(':') {
        None => Err(SecretEntryError::NoColon),
        Some(("", _)) => Err(SecretEntryError::NoIdentifier),
        Some((_, "")) => Err(SecretEntryError::NoSecret),
        Some((identifier, secret)) => Ok(make(identifier, secret)),
    })
}

/// Splits at commas and white space. A blank setting counts as not set (compose files pass unset variables like that); a gap
/// between commas is probably a mistake, and is refused.
fn entries<T>(
    setting: &'static str,
    text: Option<&str>,
    read: impl Fn(&str) -> Result<T, SecretEntryError>,
) -> Result<Vec<T>, VerifierConfigError> {
    let text = text.unwrap_or_default().trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for part in text.split(',') {
        let mut words = part.split_whitespace().peekable();
        let gap = words.peek().is_none().then_some("");
        for word in gap.into_iter().chain(words) {
            let ordinal = found.len() + 1;
            let entry = if word.is_empty() {
                Err(SecretEntryError::Empty)
            } else {
                read(word)
            };
            found.push(entry.map_err(|problem| VerifierConfigError {
                setting,
                ordinal,
                problem,
            })?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
