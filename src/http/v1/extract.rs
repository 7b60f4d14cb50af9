//! Extractors for the session id in the path and for JSON bodies, which are read within the same limits as deliveries.

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use hyper::HeaderMap;
use hyper::header::CONTENT_TYPE;
use hyper::http::request::Parts;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;
use serde_json::error::Category;
use utoipa::IntoParams;
use uuid::Uuid;

use super::problem::ApiProblem;
use super::serde_error;
use super::state::{ApiState, BODY_BYTES, BODY_TIME};
use crate::http::body;
use crate::http::peer_bodies::UnfinishedBody;
use crate::http::problem::{FieldError, Problem};

/// Extractor for the session in the path. Text that is not a UUID is the id of no session.
#[derive(Debug, Clone, Copy, IntoParams)]
#[into_params(names("id"), parameter_in = Path)]
pub struct SessionId(
    /// Id of the session.
    pub Uuid,
);

impl<S: Send + Sync> FromRequestParts<S> for SessionId {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiProblem> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(ApiProblem::SessionNotFound),
        }
    }
}

/// Extractor for a JSON body.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

/// Extractor for a JSON body that may be absent.
#[derive(Debug)]
pub struct OptionalJsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<ApiState> for JsonBody<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiProblem> {
        check_headers(request.headers())?;
        read(request, state, |bytes| parse(bytes)).await.map(Self)
    }
}

impl<T: DeserializeOwned + Default> FromRequest<ApiState> for OptionalJsonBody<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiProblem> {
        let checked = check_headers(request.headers());
        let body = read(request, state, |bytes| match bytes {
            [] => Ok(T::default()),
            bytes => checked.and_then(|()| parse(bytes)),
        });
        body.await.map(Self)
    }
}

/// Rejects a body that is compressed or not declared as JSON.
fn check_headers(headers: &HeaderMap) -> Result<(), ApiProblem> {
    if !body::is_plain(headers) {
        return Err(ApiProblem::Common(Problem::UnsupportedEncoding));
    }
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.unwrap_or_default().split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" | "application/merge-patch+json" => Ok(()),
        _ => Err(ApiProblem::UnsupportedMediaType),
    }
}

async fn read<T>(
    request: Request,
    state: &ApiState,
    parse: impl FnOnce(&[u8]) -> Result<T, ApiProblem>,
) -> Result<T, ApiProblem> {
    let body = body::read(
        request.into_body(),
        BODY_BYTES,
        BODY_TIME,
        &state.memory,
        UnfinishedBody::uncounted(),
    )
    .await;
    let body = body.map_err(|error| ApiProblem::Common(error.problem))?;
    parse(&body.bytes)
}

/// Parses a JSON object; an error names the path of the invalid field.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiProblem> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        // serde also accepts an array for a struct, its fields in their order.
        return match serde_json::from_slice::<IgnoredAny>(bytes) {
            Ok(_) => Err(ApiProblem::field("body", "is not a JSON object")),
            Err(_) => Err(ApiProblem::Common(Problem::InvalidJson)),
        };
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        invalid(bytes, &path, &error.into_inner())
    })?;
    json.end().map_err(|_| ApiProblem::Common(Problem::InvalidJson))?;
    Ok(value)
}

fn invalid(bytes: &[u8], path: &str, error: &serde_json::Error) -> ApiProblem {
    let described = error.to_string();
    let message = described
        .rsplit_once(" at line ")
        .map_or(&*described, |(message, _)| message);
    // A number where an enum is wanted is an error of syntax to serde_json, in valid JSON.
    let is_enum = || message == "expected value" && serde_json::from_slice::<Value>(bytes).is_ok();
    if error.classify() != Category::Data && !is_enum() {
        return ApiProblem::Common(Problem::InvalidJson);
    }
    field_error(path, message)
}

/// Converts an error of serde into a problem that names the field.
pub(super) fn field_error(path: &str, message: &str) -> ApiProblem {
    // For a missing or unknown field, the path is that of its object; only the message contains the name.
    let named = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|words| message.strip_prefix(words)?.split('`').next());
    let field = match (path, named) {
        (".", Some(name)) => name.to_owned(),
        (".", None) => "body".to_owned(),
        (path, Some(name)) if path != name && !path.ends_with(&format!(".{name}")) => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    };
    ApiProblem::ValidationFailed(FieldError {
        detail: format!("{field} {}", serde_error::in_plain_words(message)),
        field,
    })
}

#[cfg(test)]
mod tests;
