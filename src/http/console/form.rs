//! A form that changes something: sent by a visitor with the scope, from a page of this console, with the visitor's form token.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;
use maud::{Markup, html};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use super::access::{Visitor, peer, require};
use super::error::ConsoleError;
use super::origin;
use super::state::{Console, ConsoleState};
use crate::domain::api_scope::ApiScope;
use crate::http::body::{self, is_plain};
use crate::http::peer_bodies::UnfinishedBody;
use crate::http::v1::problem::ApiProblem;
use crate::http::v1::state::BODY_TIME;

/// Bytes of a form.
const MAX_BYTES: usize = 64 * 1024;
/// The field with the form token.
const TOKEN_FIELD: &str = "form_token";

/// Extractor for a form, which requires a visitor with this [`ApiScope`], or a higher one.
#[derive(Debug)]
pub struct ActionForm<const SCOPE: u8> {
    pub visitor: Visitor,
    pub fields: FormFields,
}

/// Requires a visitor with the scope `read`.
pub type ReadForm = ActionForm<{ ApiScope::Read as u8 }>;
/// Requires a visitor with the scope `write` or `admin`.
pub type WriteForm = ActionForm<{ ApiScope::Write as u8 }>;
/// Requires a visitor with the scope `admin`.
pub type AdminForm = ActionForm<{ ApiScope::Admin as u8 }>;

impl<const SCOPE: u8> FromRequest<ConsoleState> for ActionForm<SCOPE> {
    type Rejection = ConsoleError;

    async fn from_request(request: Request, console: &ConsoleState) -> Result<Self, ConsoleError> {
        let (parts, body) = request.into_parts();
        let needed = ApiScope::from_repr(SCOPE).unwrap_or(ApiScope::Admin);
        let visitor = require(&parts, console, needed)?;
        if !origin::is_same(&parts.headers, peer(&parts), &console.proxies) {
            return Err(ConsoleError::ForeignForm);
        }
        let fields = read(&parts.headers, body, console).await?;
        let token = fields.text(TOKEN_FIELD).unwrap_or_default();
        match bool::from(token.as_bytes().ct_eq(visitor.form_token.as_bytes())) {
            true => Ok(Self { visitor, fields }),
            false => Err(ConsoleError::ForeignForm),
        }
    }
}

/// The hidden field that a form needs.
pub fn token_field(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name=(TOKEN_FIELD) value=(visitor.form_token); }
}

/// The fields of a form, each with its first value.
#[derive(Debug, Default)]
pub struct FormFields(BTreeMap<String, String>);

impl FormFields {
    fn parse(bytes: &[u8]) -> Self {
        let mut fields = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(bytes) {
            fields.entry(name.into_owned()).or_insert(value.into_owned());
        }
        Self(fields)
    }

    /// Returns a field that is there and not blank.
    pub fn text(&self, name: &str) -> Option<&str> {
        let text = self.0.get(name)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// The fields, without the form token.
    pub fn others(&self) -> impl Iterator<Item = (String, String)> {
        let others = self.0.iter().filter(|(name, _)| *name != TOKEN_FIELD);
        others.map(|(name, value)| (name.clone(), value.clone()))
    }

    /// Parses a field.
    ///
    /// # Errors
    /// The field is missing, or has another form.
    pub fn parsed<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, ConsoleError> {
        let text = self.text(name).ok_or(ApiProblem::field(name, "is missing"))?;
        Ok(text.parse().map_err(|_| ApiProblem::field(name, "is not valid"))?)
    }
}

/// Reads a form within the limits of the API's bodies.
pub async fn read(headers: &HeaderMap, body: Body, console: &Console) -> Result<FormFields, ConsoleError> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = content_type.is_some_and(|text| {
        let essence = text.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    if !is_form || !is_plain(headers) {
        return Err(ConsoleError::NoForm);
    }
    let read = body::read(
        body,
        MAX_BYTES,
        BODY_TIME,
        &console.api.memory,
        UnfinishedBody::uncounted(),
    )
    .await;
    let body = read.map_err(|error| ApiProblem::Common(error.problem))?;
    Ok(FormFields::parse(&body.bytes))
}
