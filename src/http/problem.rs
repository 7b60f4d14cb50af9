//! Every refusal as an RFC 9457 problem: one enum, one match to what the caller sees, so that the contract stands on
//! one screen. Details are written for the caller and never made of an inner error's text.

use axum::Json;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use utoipa::ToSchema;

use super::v1::problem::FieldError;

/// What every `type` begins with; the rest is [`Problem::name`]. Stable: callers may compare it.
pub const TYPE_PREFIX: &str = "urn:avinode-ingest:problem:";

/// What Basic clients are asked for.
const CHALLENGE: &str = r#"Basic realm="avinode-ingest", charset="UTF-8""#;

/// Why a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// The body is not UTF-8 JSON.
    NotJson,
    /// The body ended early or was framed wrongly.
    BrokenBody,
    /// The sender is not proven.
    NotVerified {
        /// Whether Basic credentials would be taken, so that the caller is asked for them.
        challenge: bool,
    },
    /// Nothing is at this path.
    NotFound,
    /// The path has other methods (`Allow` is set by the router, which knows them).
    MethodNotAllowed,
    /// The body did not come in time.
    Timeout,
    /// The body is longer than is taken.
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The body is compressed: signatures are over the bytes as sent, and nothing unpacks before they are proven.
    UnsupportedEncoding,
    /// `Expect` asks for something other than `100-continue`.
    ExpectationFailed,
    /// Something of ours broke.
    Internal,
    /// It could not be kept; trying again is right.
    Unavailable {
        /// After how many seconds.
        retry_after: u32,
    },
}

impl Problem {
    /// The last part of its `type`; also how logs name it.
    pub fn name(self) -> &'static str {
        self.facts().1
    }

    /// Its status code.
    pub fn status(self) -> StatusCode {
        self.facts().0
    }

    /// The contract: status, name, title.
    pub(super) fn facts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::NotJson => (StatusCode::BAD_REQUEST, "not-json", "The body is not JSON"),
            Self::BrokenBody => (StatusCode::BAD_REQUEST, "broken-body", "The body broke off"),
            Self::NotVerified { .. } => (StatusCode::UNAUTHORIZED, "not-verified", "The sender is not verified"),
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "Nothing is here"),
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "Method not allowed",
            ),
            Self::Timeout => (StatusCode::REQUEST_TIMEOUT, "timeout", "The body took too long"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large"),
            Self::UnsupportedEncoding => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-encoding",
                "The content encoding is not supported",
            ),
            Self::ExpectationFailed => (
                StatusCode::EXPECTATION_FAILED,
                "expectation-failed",
                "Expectation failed",
            ),
            Self::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "Something went wrong here",
            ),
            Self::Unavailable { .. } => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not kept for now"),
        }
    }

    /// What it says, for people.
    pub(super) fn detail(self) -> String {
        match self {
            Self::NotJson => "The body must be one JSON value in UTF-8.".into(),
            Self::BrokenBody => "The body ended before it was whole, or was not framed as HTTP says.".into(),
            Self::NotVerified { .. } => "No configured signature or credential matches this request.".into(),
            Self::NotFound => "No resource has this path.".into(),
            Self::MethodNotAllowed => "The Allow header lists the methods of this path.".into(),
            Self::Timeout => "The whole body did not come in time; nothing of it was kept.".into(),
            Self::TooLarge { limit } => format!("At most {limit} bytes are taken."),
            Self::UnsupportedEncoding => "Send the body as it is, without a Content-Encoding.".into(),
            Self::ExpectationFailed => "Only Expect: 100-continue is understood.".into(),
            Self::Internal => "It may have been kept or not; sending it again does no harm.".into(),
            Self::Unavailable { retry_after } => {
                format!("It could not be kept; send it again after {retry_after} s.")
            }
        }
    }

    /// The header that goes with it, if one does.
    pub(super) fn header(self) -> Option<(HeaderName, HeaderValue)> {
        match self {
            Self::NotVerified { challenge: true } => Some((WWW_AUTHENTICATE, HeaderValue::from_static(CHALLENGE))),
            Self::UnsupportedEncoding => Some((ACCEPT_ENCODING, HeaderValue::from_static("identity"))),
            Self::Unavailable { retry_after } => Some((RETRY_AFTER, HeaderValue::from(retry_after))),
            _ => None,
        }
    }
}

/// A problem as it is sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDetails {
    /// What kind of problem it is; callers may compare it.
    #[schema(example = "urn:avinode-ingest:problem:invalid")]
    r#type: String,
    /// The kind, for people.
    title: &'static str,
    /// The status code.
    #[schema(example = 422)]
    status: u16,
    /// What is wrong this time.
    detail: String,
    /// Which fields are wrong; absent where it is not about fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
}

impl ProblemDetails {
    /// A problem of this name, about these fields.
    pub fn new(status: StatusCode, name: &str, title: &'static str, detail: String, errors: Vec<FieldError>) -> Self {
        Self {
            r#type: format!("{TYPE_PREFIX}{name}"),
            title,
            status: status.as_u16(),
            detail,
            errors,
        }
    }
}

impl IntoResponse for ProblemDetails {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let problem_json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, problem_json);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, name, title) = self.facts();
        let mut response = ProblemDetails::new(status, name, title, self.detail(), Vec::new()).into_response();
        response.headers_mut().extend(self.header());
        response
    }
}
