//! Secret settings as types: never empty, never printed, and refused without repeating them.
//!
//! Several of one kind stand in one setting, separated by commas or white space, so that a secret can be rotated:
//! the new one is added, the sender is changed, the old one is taken away.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use sqlx::postgres::PgConnectOptions;

/// One or more secrets of one setting, in the order they were written. The ordinal is what is recorded of a use.
#[derive(Clone)]
pub struct Secrets(Vec<SecretString>);

impl Secrets {
    /// The first: the one to sign with.
    pub fn first(&self) -> &str {
        self.iter().next().unwrap_or_default() // never empty: `entries` refuses that
    }

    /// Each secret's text, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(ExposeSecret::expose_secret)
    }

    /// How many there are; at least one.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{} redacted]", self.0.len())
    }
}

/// Splits a setting into its entries and has each checked; an error tells the place of the entry, never its text.
fn entries(text: &str, check: impl Fn(&str) -> Result<(), &'static str>) -> Result<Secrets, String> {
    let entries: Vec<&str> = text
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
        .collect();
    if entries.is_empty() {
        return Err("holds no entry".to_owned());
    }
    for (index, entry) in entries.iter().enumerate() {
        check(entry).map_err(|wrong| format!("is wrong in entry {} of {}: {wrong}", index + 1, entries.len()))?;
    }
    Ok(Secrets(entries.into_iter().map(SecretString::from).collect()))
}

/// Webhook signing secrets: any text, or `whsec_` and base64.
pub fn signing_secrets(text: &str) -> Result<Secrets, String> {
    entries(text, |entry| match entry.strip_prefix("whsec_") {
        Some(key) if !STANDARD.decode(key).is_ok_and(|bytes| !bytes.is_empty()) => {
            Err("after whsec_ must stand the key in base64")
        }
        _ => Ok(()),
    })
}

/// One signing secret.
pub fn signing_secret(text: &str) -> Result<SecretString, String> {
    match signing_secrets(text)? {
        one if one.count() == 1 => Ok(one.first().into()),
        _ => Err("holds several entries; one is allowed here".to_owned()),
    }
}

/// Basic credentials, each `identifier:secret`. The secret may hold `:`, the identifier cannot.
pub fn basic_credentials(text: &str) -> Result<Secrets, String> {
    entries(text, |entry| match entry.split_once(':') {
        Some((identifier, secret)) if !identifier.is_empty() && !secret.is_empty() => Ok(()),
        _ => Err("it must be identifier:secret, neither part empty"),
    })
}

/// A credential that is sent in a header, as it stands: visible ASCII without spaces.
pub fn credential(text: &str) -> Result<SecretString, String> {
    let text = text.trim();
    if text.get(..7).is_some_and(|start| start.eq_ignore_ascii_case("bearer ")) {
        return Err("is to be set without the word Bearer before it".to_owned());
    }
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("is not one word of visible ASCII characters".to_owned());
    }
    Ok(text.into())
}

/// What a bearer of an API token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Look only.
    Read,
    /// Look and change.
    Write,
}

/// A token of the HTTP API.
#[derive(Debug, Clone)]
pub struct ApiToken {
    /// Who bears it, for the record.
    pub name: String,
    /// What it allows.
    pub scope: Scope,
    /// The token itself.
    pub token: SecretString,
}

/// All tokens of the setting.
#[derive(Debug, Clone)]
pub struct ApiTokens(pub Vec<ApiToken>);

fn api_token(entry: &str) -> Result<ApiToken, &'static str> {
    let mut parts = entry.splitn(3, ':');
    let (Some(name), Some(scope), Some(token)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("it must be name:scope:token");
    };
    if name.is_empty() || token.is_empty() {
        return Err("name and token must not be empty");
    }
    let scope = match scope {
        "read" => Scope::Read,
        "write" => Scope::Write,
        _ => return Err("the scope must be read or write"),
    };
    Ok(ApiToken {
        name: name.to_owned(),
        scope,
        token: token.into(),
    })
}

/// API tokens, each `name:scope:token`, the scope `read` or `write`. One name may have several, for rotation.
pub fn api_tokens(text: &str) -> Result<ApiTokens, String> {
    let checked = entries(text, |entry| api_token(entry).map(drop))?;
    let tokens = checked.iter().map(api_token).collect::<Result<_, _>>();
    tokens.map(ApiTokens).map_err(str::to_owned)
}

/// A Postgres URL. It holds a password, so it is a secret as a whole.
pub fn database_url(text: &str) -> Result<SecretString, String> {
    let postgres = text.starts_with("postgres://") || text.starts_with("postgresql://");
    if postgres && PgConnectOptions::from_str(text).is_ok() {
        Ok(text.into())
    } else {
        // The reason is left out: it may quote a part of the URL.
        Err(
            "is not a URL such as postgres://user:password@host:5432/database (special characters percent-encoded)"
                .to_owned(),
        )
    }
}

#[cfg(test)]
mod tests;
