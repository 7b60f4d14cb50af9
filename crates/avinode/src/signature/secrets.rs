//! The secrets that authenticate a sender, and lists of them. No error holds any part of a secret.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::{SecretSlice, SecretString};

/// Base64 with or without padding: senders' consoles give out both.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// An invalid entry of a list of secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {ordinal} {problem}")]
pub struct EntryError<E: fmt::Display> {
    /// Its place in the list, from 1.
    pub ordinal: usize,
    pub problem: E,
}

/// Reasons why a secret is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretEntryError {
    /// Nothing between two commas, or after `whsec_`. An empty key would accept signatures that anyone can make.
    #[error("is empty")]
    Empty,
    #[error("begins with whsec_ but does not go on in base64")]
    NotBase64,
    #[error("has no colon: it must be identifier:secret")]
    NoColon,
    #[error("has no identifier before its colon")]
    NoIdentifier,
    #[error("has no secret after its colon")]
    NoSecret,
}

/// A signing secret.
#[derive(Debug, Clone)]
pub enum WebhookSecret {
    /// The text's own bytes are an HMAC key.
    Plain(SecretSlice<u8>),
    /// `whsec_` and a base64 key, for Standard Webhooks only.
    Standard(SecretSlice<u8>),
}

impl WebhookSecret {
    pub fn parse(text: &str) -> Result<Self, SecretEntryError> {
        match text.strip_prefix("whsec_") {
            _ if text.is_empty() => Err(SecretEntryError::Empty),
            None => Ok(Self::Plain(text.as_bytes().to_vec().into())),
            Some(encoded) => match BASE64.decode(encoded) {
                Ok(key) if key.is_empty() => Err(SecretEntryError::Empty),
                Ok(key) => Ok(Self::Standard(key.into())),
                Err(_) => Err(SecretEntryError::NotBase64), // the error would quote a byte of the secret
            },
        }
    }

    pub fn key(&self) -> &SecretSlice<u8> {
        match self {
            Self::Plain(key) | Self::Standard(key) => key,
        }
    }
}

/// HTTP Basic credentials.
#[derive(Debug, Clone)]
pub struct BasicAuth {
    pub identifier: String,
    pub secret: SecretString,
}

impl BasicAuth {
    /// Splits at the first colon: the secret may contain colons.
    pub fn parse(text: &str) -> Result<Self, SecretEntryError> {
        match text.split_once(':') {
            None if text.is_empty() => Err(SecretEntryError::Empty),
            None => Err(SecretEntryError::NoColon),
            Some(("", _)) => Err(SecretEntryError::NoIdentifier),
            Some((_, "")) => Err(SecretEntryError::NoSecret),
            Some((identifier, secret)) => Ok(Self {
                identifier: identifier.to_owned(),
                secret: secret.into(),
            }),
        }
    }
}

/// Parses a list separated by commas or white space. A blank text is an empty list (compose files pass unset variables on like
/// that). A gap between commas is parsed as an empty entry, so that it is refused as the slip of the pen that it is.
pub fn parse_entries<T, E: fmt::Display>(
    text: &str,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, EntryError<E>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for part in text.split(',') {
        let mut words = part.split_whitespace().peekable();
        let gap = words.peek().is_none().then_some("");
        for word in gap.into_iter().chain(words) {
            let ordinal = found.len() + 1;
            found.push(parse(word).map_err(|problem| EntryError { ordinal, problem })?);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
