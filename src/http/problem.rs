//! RFC 9457 problems: the status, type, title, detail and headers of every rejected request, for its response and for
//! the OpenAPI description. A detail is written for the caller and never contains the text of an inner error.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::request_id;
use axum::Json;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{
    ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use serde::{Serialize, Serializer};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa::{PartialSchema, ToSchema};

/// Prefix of every `type`; the name of the problem follows. Callers compare types, so both are stable.
pub const TYPE_PREFIX: &str = "urn:avinode-ingest:problem:";
/// Names of problems that `webhooks create` looks for.
pub const INVALID_SIGNATURE: &str = "invalid-signature";
pub const NOT_FOUND: &str = "not-found";

const BASIC_CHALLENGE: &str = r#"Basic realm="avinode-ingest", charset="UTF-8""#;

/// A field of a request, and its error.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The name of the field or parameter, or its path (`workflow_state.client`).
    #[schema(example = "conversation_id")]
    pub field: String,
    /// The error.
    #[schema(example = "conversation_id does not exist")]
    pub detail: String,
}

/// An RFC 9457 problem.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemDetails {
    /// The problem type, stable for programs to compare.
    #[serde(rename = "type", serialize_with = "type_uri")]
    #[schema(value_type = String, example = "urn:avinode-ingest:problem:validation-failed")]
    pub name: &'static str,
    /// A summary of the problem type.
    title: &'static str,
    /// The HTTP status code.
    #[schema(example = 422)]
    pub(super) status: u16,
    /// An explanation of this occurrence.
    #[schema(value_type = String)]
    detail: Cow<'static, str>,
    /// The id of the request, for a question about it: that of the header `X-Request-Id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, value_type = String, example = "3f1c2d4e-0b1a-4c5d-8e6f-7a8b9c0d1e2f")]
    request_id: Option<String>,
    /// The invalid fields, if the problem is about fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldError>,
    #[serde(skip)]
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ProblemDetails {
    pub fn new(status: u16, name: &'static str, title: &'static str) -> Self {
        Self {
            name,
            title,
            status,
            ..Self::default()
        }
    }

    pub fn title(&self) -> &'static str {
        self.title
    }

    /// The explanation of this occurrence.
    pub fn explanation(&self) -> &str {
        &self.detail
    }

    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Self {
        self.detail = detail.into();
        self
    }

    #[must_use]
    pub fn header(mut self, name: HeaderName, value: impl Into<HeaderValue>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Asks for credentials of this scheme.
    #[must_use]
    pub fn challenge(self, challenge: &'static str) -> Self {
        self.header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    /// Closes the connection after the response: the body was not read to its end, and the rest of it would be taken for
    /// the next request.
    #[must_use]
    pub fn close(self) -> Self {
        self.header(CONNECTION, HeaderValue::from_static("close"))
    }
}

fn type_uri<S: Serializer>(name: &&str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{TYPE_PREFIX}{name}"))
}

impl IntoResponse for ProblemDetails {
    fn into_response(mut self) -> Response {
        let headers = std::mem::take(&mut self.headers);
        self.request_id = request_id::current();
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let problem_json = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(CONTENT_TYPE, problem_json);
        response.headers_mut().extend(headers);
        response
    }
}

/// The problems that are not specific to the sessions API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    InvalidJson,
    IncompleteBody,
    InvalidSignature {
        /// Basic credentials are configured, so the response asks for them.
        challenge: bool,
    },
    NotFound,
    /// The router sets `Allow`.
    MethodNotAllowed,
    Timeout,
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// Signatures cover the bytes as sent, and nothing is decompressed before the sender is verified.
    UnsupportedEncoding,
    ExpectationFailed,
    Internal,
    /// The request can be repeated.
    Unavailable {
        /// In seconds.
        retry_after: u32,
    },
}

impl Problem {
    pub fn details(self) -> ProblemDetails {
        match self {
            Self::InvalidJson => ProblemDetails::new(400, "invalid-json", "Invalid JSON")
                .detail("The body must be one JSON value in UTF-8."),
            Self::IncompleteBody => ProblemDetails::new(400, "incomplete-body", "Incomplete body").detail(
                "The connection ended before the end of the body, or the framing of the body is not valid HTTP.",
            ),
            Self::InvalidSignature { challenge } => {
                let details = ProblemDetails::new(401, INVALID_SIGNATURE, "Webhook authentication failed")
                    .detail("No configured secret matches the signature or the credentials of this request.");
                match challenge {
                    true => details.challenge(BASIC_CHALLENGE),
                    false => details,
                }
            }
            Self::NotFound => ProblemDetails::new(404, NOT_FOUND, "Not found").detail("No resource has this path."),
            Self::MethodNotAllowed => ProblemDetails::new(405, "method-not-allowed", "Method not allowed")
                .detail("The Allow header lists the methods of this path."),
            Self::Timeout => ProblemDetails::new(408, "timeout", "Request timeout")
                .detail("The body did not arrive in time. Nothing was stored."),
            Self::TooLarge { limit } => ProblemDetails::new(413, "too-large", "Request body too large")
                .detail(format!("The limit is {limit} bytes.")),
            Self::UnsupportedEncoding => {
                ProblemDetails::new(415, "unsupported-encoding", "Unsupported content encoding")
                    .detail("Send the body uncompressed, without a Content-Encoding header.")
                    .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
            }
            Self::ExpectationFailed => ProblemDetails::new(417, "expectation-failed", "Expectation failed")
                .detail("The only supported expectation is 100-continue."),
            Self::Internal => ProblemDetails::new(500, "internal", "Internal server error")
                .detail("The request may or may not have taken effect."),
            Self::Unavailable { retry_after } => ProblemDetails::new(503, "unavailable", "Service unavailable")
                .detail(format!(
                    "The request could not be completed. Send it again after {retry_after} s."
                ))
                .header(RETRY_AFTER, retry_after),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.details().into_response()
    }
}

/// Describes problems as OpenAPI responses, one for each status.
pub fn describe(
    problems: impl IntoIterator<Item = ProblemDetails>,
) -> BTreeMap<String, RefOr<utoipa::openapi::Response>> {
    let mut by_status: BTreeMap<u16, Vec<ProblemDetails>> = BTreeMap::new();
    for problem in problems {
        by_status.entry(problem.status).or_default().push(problem);
    }
    let describe = |problems: Vec<ProblemDetails>| {
        let types = problems
            .iter()
            .map(|problem| format!("{} (`{}`)", problem.title, problem.name));
        let content = Content::new(Some(Ref::from_schema_name(ProblemDetails::name())));
        let response = ResponseBuilder::new()
            .description(types.collect::<Vec<_>>().join("; "))
            .content("application/problem+json", content);
        let headers = problems.iter().flat_map(|problem| &problem.headers);
        headers
            .filter(|(name, _)| name != CONNECTION)
            .fold(response, |response, (name, _)| {
                response.header(
                    name.as_str(),
                    HeaderBuilder::new().schema(Some(String::schema())).build(),
                )
            })
            .build()
            .into()
    };
    by_status
        .into_iter()
        .map(|(status, problems)| (status.to_string(), describe(problems)))
        .collect()
}

/// Declares sets of problems as responses that an operation's OpenAPI description can name.
macro_rules! problem_sets {
    ($($(#[$doc:meta])* $name:ident = [$($problem:expr),* $(,)?];)*) => {
        $(
            $(#[$doc])*
            #[derive(Debug)]
            pub struct $name;

            impl utoipa::IntoResponses for $name {
                fn responses()
                -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
                    $crate::http::problem::describe([$($problem.details()),*])
                }
            }
        )*
    };
}
pub(crate) use problem_sets;
