//! Secret settings. clap takes any text for them, so that none of its messages holds a secret; they are checked afterwards,
//! by errors that name the setting and the entry.
//!
//! A setting may hold several secrets, separated by commas or white space, so that one can be rotated: add the new one, change
//! the sender, remove the old one.

use std::fmt::Display;

use secrecy::{ExposeSecret, SecretString};

use super::setting_error::SettingError;
use crate::avinode::signature::secrets::{WebhookSecret, parse_entries};
use crate::domain::api_scope::ApiScope;

/// Parses each entry of the setting called `name`; none where it is not set or blank.
pub fn entries<T, E: Display>(
    name: &str,
    setting: Option<&SecretString>,
    parse: impl Fn(&str) -> Result<T, E>,
) -> Result<Vec<T>, SettingError> {
    let text = setting.map_or("", ExposeSecret::expose_secret);
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
            scope: scope.parse().map_err(|_| "has a scope other than read and write")?,
            token: token.into(),
        })
    }
}

#[cfg(test)]
mod tests;
