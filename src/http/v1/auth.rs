//! Bearer tokens. The digest of the presented token is compared with every configured one in constant time: response
//! times reveal neither the length of a token, nor a matching prefix, nor its position.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{ConnectInfo, FromRef, FromRequestParts};
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::problem::ApiProblem;
use crate::domain::actor::Actor;
use crate::domain::api_scope::ApiScope;
use crate::http::log_limit::LogLimit;
use crate::http::reloadable::Reloadable;

/// Bytes of a path in such a line.
const MAX_LOGGED_PATH: usize = 200;

/// The configured tokens. Without any, every call is rejected. Clones share the limit of log lines.
#[derive(Clone)]
pub struct BearerTokens {
    tokens: Reloadable<Vec<BearerToken>>,
    refusals: Arc<LogLimit>,
}

/// A configured token, without its text.
#[derive(Clone)]
pub struct BearerToken {
    pub name: String,
    pub scope: ApiScope,
    /// SHA-256 of the text.
    pub digest: [u8; 32],
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("BearerToken")
            .field(&self.name)
            .field(&self.scope)
            .finish()
    }
}

impl fmt::Debug for BearerTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.tokens.current().iter()).finish()
    }
}

impl Default for BearerTokens {
    fn default() -> Self {
        Self::new([])
    }
}

impl BearerTokens {
    /// Creates tokens from their names, scopes and texts.
    pub fn new<'t>(tokens: impl IntoIterator<Item = (&'t str, ApiScope, &'t str)>) -> Self {
        let tokens = tokens.into_iter().map(|(name, scope, text)| BearerToken {
            name: name.to_owned(),
            scope,
            digest: Sha256::digest(text).into(),
        });
        Self {
            tokens: Reloadable::new(tokens.collect()),
            refusals: Arc::new(LogLimit::default()),
        }
    }

    /// Replaces the tokens, for all clones, by those of `other`.
    pub fn replace(&self, other: &Self) {
        self.tokens.replace(other.tokens.current().to_vec());
    }

    /// Finds the token that the headers present.
    fn authenticate(&self, headers: &HeaderMap) -> Result<BearerToken, ApiProblem> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(ApiProblem::MissingToken);
        };
        let presented = match value.as_bytes().split_at_checked(7) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
            _ => return Err(ApiProblem::MissingToken),
        };
        self.find(presented).ok_or(ApiProblem::InvalidToken)
    }

    /// Finds the token with this text.
    pub fn find(&self, presented: &[u8]) -> Option<BearerToken> {
        let digest: [u8; 32] = Sha256::digest(presented).into();
        self.find_by(|token| token.digest.ct_eq(&digest))
    }

    /// Finds the token that a comparison in constant time accepts. All tokens are compared, whether or not one matched before.
    pub fn find_by(&self, is_same: impl Fn(&BearerToken) -> Choice) -> Option<BearerToken> {
        let tokens = self.tokens.current();
        // Numbered from 1; 0 means none.
        let mut found = 0_u64;
        for (number, token) in (1_u64..).zip(tokens.iter()) {
            found.conditional_assign(&number, is_same(token));
        }
        let index = usize::try_from(found).ok().and_then(|found| found.checked_sub(1));
        index.and_then(|index| tokens.get(index).cloned())
    }

    /// Returns whether no token is configured.
    pub fn is_empty(&self) -> bool {
        self.tokens.current().is_empty()
    }

    /// Returns the name of the token.
    fn authorize(&self, parts: &Parts, needed: ApiScope) -> Result<String, ApiProblem> {
        let token = self.authenticate(&parts.headers).inspect_err(|problem| {
            self.log(
                match problem {
                    ApiProblem::MissingToken => "no bearer token",
                    _ => "an unknown bearer token",
                },
                parts,
            );
        })?;
        if token.scope < needed {
            return Err(ApiProblem::Forbidden { needed });
        }
        let (name, method, path) = (&token.name, &parts.method, parts.uri.path());
        tracing::debug!(token = name, %method, path, "API call {method} {path} with token {name}");
        Ok(token.name)
    }

    /// Logs a call without a valid token, without its header.
    pub fn log(&self, reason: &'static str, parts: &Parts) {
        let Some(suppressed) = self.refusals.admit(reason, Instant::now()) else {
            return;
        };
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0);
        let peer = peer.as_ref().map(tracing::field::display);
        let method = parts.method.as_str();
        // ASCII, of any length.
        let path = parts.uri.path();
        let path = path.get(..MAX_LOGGED_PATH).unwrap_or(path);
        tracing::warn!(
            reason,
            method,
            path,
            peer,
            suppressed,
            "rejected a request without a valid token: {reason}"
        );
    }
}

/// Extractor that requires a token with this [`ApiScope`], or a higher one.
#[derive(Debug)]
pub struct TokenAccess<const SCOPE: u8> {
    /// The name of the token.
    name: String,
}

impl<const SCOPE: u8> TokenAccess<SCOPE> {
    /// The author of what the call changes.
    pub fn actor(&self) -> Actor {
        Actor::token(&self.name)
    }
}

/// Requires any token.
pub type ReadAccess = TokenAccess<{ ApiScope::Read as u8 }>;
/// Requires a token with the scope `write` or `admin`.
pub type WriteAccess = TokenAccess<{ ApiScope::Write as u8 }>;
/// Requires a token with the scope `admin`.
pub type AdminAccess = TokenAccess<{ ApiScope::Admin as u8 }>;

impl<S: Send + Sync, const SCOPE: u8> FromRequestParts<S> for TokenAccess<SCOPE>
where
    BearerTokens: FromRef<S>,
{
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        // A number that is no scope does not occur: the types above name their scope.
        let needed = ApiScope::from_repr(SCOPE).unwrap_or(ApiScope::Admin);
        let name = BearerTokens::from_ref(state).authorize(parts, needed)?;
        Ok(Self { name })
    }
}

#[cfg(test)]
mod tests;
