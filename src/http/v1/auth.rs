//! Bearer tokens. A token is compared by its digest with every one there is, in a time that tells neither how long it is
//! nor where it differs nor which one it was.

use std::fmt;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use hyper::http::request::Parts;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};

use super::problem::ApiProblem;
use super::state::ApiState;
use crate::domain::api_scope::ApiScope;

/// Who may call the API. Without any token nobody may.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Vec<Token>>);

struct Token {
    name: String,
    scope: ApiScope,
    digest: [u8; 32],
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|token| (&token.name, token.scope)))
            .finish()
    }
}

impl Tokens {
    /// Tokens by bearer's name, scope and text.
    pub fn new<'t>(tokens: impl IntoIterator<Item = (&'t str, ApiScope, &'t str)>) -> Self {
        let tokens = tokens.into_iter().map(|(name, scope, text)| Token {
            name: name.to_owned(),
            scope,
            digest: Sha256::digest(text).into(),
        });
        Self(Arc::new(tokens.collect()))
    }

    /// The token that these headers present.
    fn bearer(&self, headers: &HeaderMap) -> Result<&Token, ApiProblem> {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else {
            return Err(ApiProblem::NoToken);
        };
        let presented = value.as_bytes();
        let presented = match presented.split_at_checked(7) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case(b"bearer ") => token.trim_ascii(),
            _ => return Err(ApiProblem::NoToken),
        };
        let digest: [u8; 32] = Sha256::digest(presented).into();
        // All are compared, found or not; numbered from 1, 0 is none.
        let mut found = 0_u64;
        for (number, token) in (1_u64..).zip(self.0.iter()) {
            let same: Choice = token.digest.ct_eq(&digest);
            found.conditional_assign(&number, same);
        }
        let place = usize::try_from(found).ok().and_then(|found| found.checked_sub(1));
        place.and_then(|place| self.0.get(place)).ok_or(ApiProblem::WrongToken)
    }

    fn allow(&self, parts: &Parts, needed: ApiScope) -> Result<(), ApiProblem> {
        let token = self.bearer(&parts.headers)?;
        if token.scope < needed {
            return Err(ApiProblem::Forbidden { needed });
        }
        tracing::debug!(token = token.name, method = %parts.method, path = parts.uri.path(), "a call of the API");
        Ok(())
    }
}

/// Proof that the caller may look.
#[derive(Debug)]
pub struct ReadAccess;

/// Proof that the caller may change.
#[derive(Debug)]
pub struct WriteAccess;

impl FromRequestParts<ApiState> for ReadAccess {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiProblem> {
        state.tokens.allow(parts, ApiScope::Read).map(|()| Self)
    }
}

impl FromRequestParts<ApiState> for WriteAccess {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiProblem> {
        state.tokens.allow(parts, ApiScope::Write).map(|()| Self)
    }
}

#[cfg(test)]
mod tests;
