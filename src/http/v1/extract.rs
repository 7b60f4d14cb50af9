//! What a call brings: the session's id in the path, and a JSON body, read under the same limits as a delivery's.

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use hyper::HeaderMap;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE};
use hyper::http::request::Parts;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::error::Category;
use uuid::Uuid;

use super::problem::{ApiProblem, FieldError};
use super::state::{ApiState, BODY_BYTES, BODY_TIME};
use crate::http::body::{self, BodyReadErrorKind};
use crate::http::problem::Problem;

/// The session that the path names.
#[derive(Debug, Clone, Copy)]
pub struct SessionId(pub Uuid);

impl FromRequestParts<ApiState> for SessionId {
    type Rejection = ApiProblem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiProblem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().and_then(|Path(id)| Uuid::try_parse(&id).ok());
        id.map(Self).ok_or(ApiProblem::NoSuchSession)
    }
}

/// A JSON body.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

/// A JSON body that may be left out altogether.
#[derive(Debug)]
pub struct OptionalJsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<ApiState> for JsonBody<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiProblem> {
        is_json(request.headers())?;
        read(request, state, |bytes| parse(bytes)).await.map(Self)
    }
}

impl<T: DeserializeOwned + Default> FromRequest<ApiState> for OptionalJsonBody<T> {
    type Rejection = ApiProblem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, ApiProblem> {
        let said = is_json(request.headers());
        let read = read(request, state, |bytes| match bytes {
            [] => Ok(T::default()),
            bytes => said.and_then(|()| parse(bytes)),
        });
        read.await.map(Self)
    }
}

/// Refuses what does not say that it is JSON, as it is.
fn is_json(headers: &HeaderMap) -> Result<(), ApiProblem> {
    let plain = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
    if !plain {
        return Err(ApiProblem::Common(Problem::UnsupportedEncoding));
    }
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = said.unwrap_or_default().split(';').next().unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    match essence.as_str() {
        "application/json" | "application/merge-patch+json" => Ok(()),
        _ => Err(ApiProblem::NotJsonType),
    }
}

async fn read<T>(
    request: Request,
    state: &ApiState,
    parse: impl FnOnce(&[u8]) -> Result<T, ApiProblem>,
) -> Result<T, ApiProblem> {
    let read = body::read(request.into_body(), BODY_BYTES, BODY_TIME, &state.memory).await;
    let whole = read.map_err(|stopped| {
        ApiProblem::Common(match stopped.why {
            BodyReadErrorKind::TooLarge => Problem::TooLarge { limit: BODY_BYTES },
            BodyReadErrorKind::TooSlow => Problem::Timeout,
            BodyReadErrorKind::Broken => Problem::BrokenBody,
            BodyReadErrorKind::NoMemory => Problem::Unavailable { retry_after: 1 },
        })
    })?;
    parse(&whole.bytes)
}

/// Reads a JSON object into a type; what does not fit is told by the path of the field.
fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiProblem> {
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        // Refused here: serde takes an array for a struct as well, its fields in their order.
        return match serde_json::from_slice::<IgnoredAny>(bytes) {
            Ok(_) => Err(ApiProblem::field("body", "is no JSON object")),
            Err(_) => Err(ApiProblem::Common(Problem::NotJson)),
        };
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        wrong(&path, &error.into_inner())
    })?;
    json.end().map_err(|error| wrong(".", &error))?;
    Ok(value)
}

fn wrong(path: &str, error: &serde_json::Error) -> ApiProblem {
    if error.classify() != Category::Data {
        return ApiProblem::Common(Problem::NotJson);
    }
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or_default();
    // Of a field that is missing or unknown the path is that of its object; the name stands in the text alone.
    let named = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|words| said.strip_prefix(words)?.split('`').next());
    let field = match (path, named) {
        (".", Some(name)) => name.to_owned(),
        (".", None) => "body".to_owned(),
        (path, Some(name)) if path != name && !path.ends_with(&format!(".{name}")) => format!("{path}.{name}"),
        (path, _) => path.to_owned(),
    };
    ApiProblem::Invalid(vec![FieldError {
        detail: format!("{field}: {said}"),
        field,
    }])
}

#[cfg(test)]
mod tests;
