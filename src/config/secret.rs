//! Secret settings. clap takes any text for them, so that none of its messages holds a secret; they are checked afterwards,
//! by errors that name the setting and the entry.
//!
//! A setting may hold several secrets, separated by commas or white space, so that one can be rotated: add the new one, change
//! the sender, remove the old one.

use std::collections::HashMap;
use std::fmt::Display;

use secrecy::{ExposeSecret, SecretString};

use super::setting_error::SettingError;
use crate::avinode::signature::secrets::{WebhookSecret, parse_entries};
use crate::domain::api_scope::ApiScope;

/// The secret of the samples, which is public.
const PLACEHOLDER: &str = "change-me";
const IS_PLACEHOLDER: &str = "the value is the placeholder of a sample, which everybody knows; set a secret of your own \
                              (openssl rand -hex 32)";

/// Refuses a value that is, or ends with, the placeholder of the samples: `identifier:change-me`.
fn refuse_placeholder(name: &str, text: &str) -> Result<(), SettingError> {
    let mut words = text.split([',', ' ', '\t', '\n', '\r']);
    let is_placeholder = |word: &str| {
        let secret = word.rsplit(':').next().unwrap_or_default();
        secret.eq_ignore_ascii_case(PLACEHOLDER)
    };
    match words.any(is_placeholder) {
        true => Err(SettingError::new(name, IS_PLACEHOLDER)),
        false => Ok(()),
    }
}

/// Refuses a database URL with the password of the samples.
pub fn refuse_placeholder_password(name: &str, url: &str) -> Result<(), SettingError> {
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    let user = address.split_once("://").and_then(|(_, rest)| rest.rsplit_once('@'));
    let passwords = parameters
        .split('&')
        .filter_map(|parameter| parameter.strip_prefix("password="));
    passwords
        .chain(user.map(|(user, _)| user))
        .try_for_each(|password| refuse_placeholder(name, password))
}

/// Parses each entry of the setting called `name`; none where it is not set or blank.
pub fn entries<T, E: Display>(
    name: &str,
    setting: Option<&SecretString>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, SettingError> {
    let text = setting.map_or("", ExposeSecret::expose_secret);
    refuse_placeholder(name, text)?;
    parse_entries(text, parse).map_err(|error| SettingError::new(name, error))
}

/// Parses a setting that holds exactly one signing secret.
pub fn signing_secret(name: &str, setting: &SecretString) -> Result<WebhookSecret, SettingError> {
    let mut found = entries(name, Some(setting), WebhookSecret::parse)?;
    match (found.pop(), found.is_empty()) {
        (Some(secret), true) => Ok(secret),
        (None, _) => Err(SettingError::new(name, "the value is empty")),
        (Some(_), false) => Err(SettingError::new(
            name,
            "the value holds several secrets; only one is allowed",
        )),
    }
}

/// Checks a credential that is sent in a header: visible ASCII without spaces.
pub fn credential(name: &str, setting: &SecretString) -> Result<SecretString, SettingError> {
    let text = setting.expose_secret().trim();
    refuse_placeholder(name, text)?;
    if text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
        return Err(SettingError::new(name, "the value must not begin with the word Bearer"));
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(SettingError::new(
            name,
            "the value is not one word of visible ASCII characters",
        ));
    }
    Ok(text.into())
}

/// A token of the HTTP API.
#[derive(Debug, Clone)]
pub struct ApiToken {
    /// Names the caller in logs. One name may have several tokens, for rotation.
    pub name: String,
    pub scope: ApiScope,
    pub token: SecretString,
}

impl ApiToken {
    /// Parses `name:scope:token`.
    pub fn parse(entry: &str) -> Result<Self, &'static str> {
        let mut parts = entry.splitn(3, ':');
        let (Some(name), Some(scope), Some(token)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("is not name:scope:token");
        };
        if name.is_empty() || token.is_empty() {
            return Err("has an empty name or token");
        }
        Ok(Self {
            name: name.to_owned(),
            scope: scope
                .parse()
                .map_err(|_| "has a scope other than read, write and admin")?,
            token: token.into(),
        })
    }
}

/// Refuses a token that has two scopes: a caller would have more or less than was meant.
pub fn refuse_ambiguous(name: &str, tokens: &[ApiToken]) -> Result<(), SettingError> {
    let mut first_of = HashMap::new();
    for (index, token) in tokens.iter().enumerate() {
        let (first, scope) = *first_of
            .entry(token.token.expose_secret())
            .or_insert((index, token.scope));
        if scope != token.scope {
            let entries = format_args!(
                "entries {} and {} are the same token with different scopes",
                first + 1,
                index + 1
            );
            return Err(SettingError::new(name, entries));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
