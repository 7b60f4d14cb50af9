//! What the API refuses, as RFC 9457 problems: the contract on one screen. Nothing of an inner error is repeated.

use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{CONNECTION, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::api_scope::ApiScope;
use crate::http::problem::{Problem, ProblemDetails};
use crate::sessions::error::SessionError;

/// A field of a request, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field: its name, or its path (`workflow_state.client`).
    #[schema(example = "conversation_id")]
    pub field: String,
    /// What is wrong.
    #[schema(example = "conversation_id refers to nothing")]
    pub detail: String,
}

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiProblem {
    /// What any door refuses: no JSON, too large, broken off.
    Common(Problem),
    /// No bearer token.
    NoToken,
    /// A token, but none of those configured.
    WrongToken,
    /// The token's scope is too narrow.
    Forbidden {
        /// The scope it would take.
        needed: ApiScope,
    },
    /// There is no such session.
    NoSuchSession,
    /// The session's status does not allow it.
    WrongStatus {
        /// Its status.
        status: String,
        /// What it would have to be.
        needs: &'static str,
    },
    /// Another session of the conversation is active.
    AnotherIsActive {
        /// Which.
        session: Uuid,
    },
    /// The body is no JSON by its `Content-Type`.
    NotJsonType,
    /// Fields are unknown, missing or wrong.
    Invalid(Vec<FieldError>),
    /// The application's tables refuse the values.
    NotTaken,
    /// The database is busy or away.
    Busy,
}

impl ApiProblem {
    /// One field is wrong; `why` is the rest of a sentence that begins with its name.
    pub fn field(field: &str, why: &str) -> Self {
        Self::Invalid(vec![FieldError {
            field: field.to_owned(),
            detail: format!("{field} {why}"),
        }])
    }

    /// The contract: status, name, title.
    fn facts(&self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::Common(problem) => problem.facts(),
            Self::NoToken | Self::WrongToken => (StatusCode::UNAUTHORIZED, "unauthorized", "Who calls is not known"),
            Self::Forbidden { .. } => (StatusCode::FORBIDDEN, "forbidden", "The token does not allow it"),
            Self::NoSuchSession => (StatusCode::NOT_FOUND, "no-such-session", "There is no such session"),
            Self::WrongStatus { .. } => (
                StatusCode::CONFLICT,
                "wrong-status",
                "The session's status does not allow it",
            ),
            Self::AnotherIsActive { .. } => (StatusCode::CONFLICT, "another-is-active", "Another session is active"),
            Self::NotJsonType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body is not said to be JSON",
            ),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid", "The request is not valid"),
            Self::NotTaken => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "not-taken",
                "The application's tables refuse it",
            ),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "busy", "The database is busy"),
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Common(Problem::Internal) => "It may have been done or not.".into(),
            Self::Common(Problem::Unavailable { .. }) => "Too many bodies are being read; try again.".into(),
            Self::Common(problem) => problem.detail(),
            Self::NoToken => "Send the header Authorization: Bearer, with a token of INGEST_API_TOKENS.".into(),
            Self::WrongToken => "No token of INGEST_API_TOKENS is like the one that was sent.".into(),
            Self::Forbidden { needed } => format!("It takes a token with the scope {}.", needed.as_str()),
            Self::NoSuchSession => "No chat session has this id.".into(),
            Self::WrongStatus { status, needs } => {
                format!("The session is {status}; it would have to be {needs}.")
            }
            Self::AnotherIsActive { session } => {
                format!("Session {session} of the same conversation is active; pause or complete it first.")
            }
            Self::NotJsonType => "Send the body with Content-Type: application/json.".into(),
            Self::Invalid(errors) => errors
                .iter()
                .map(|error| format!("{}.", error.detail))
                .collect::<Vec<_>>()
                .join(" "),
            Self::NotTaken => "A constraint or a trigger on the application's tables refuses these values.".into(),
            Self::Busy => "Nothing was changed; send it again after a moment.".into(),
        }
    }

    fn headers(&self) -> Vec<(HeaderName, HeaderValue)> {
        let challenge = |text| (WWW_AUTHENTICATE, HeaderValue::from_static(text));
        let close = (CONNECTION, HeaderValue::from_static("close"));
        match self {
            // Refused before the body was read: what is left of it would be taken for the next request.
            Self::NoToken => vec![challenge(r#"Bearer realm="avinode-ingest""#), close],
            Self::WrongToken => vec![
                challenge(r#"Bearer realm="avinode-ingest", error="invalid_token""#),
                close,
            ],
            Self::Forbidden { needed: ApiScope::Read } => vec![close],
            Self::Forbidden {
                needed: ApiScope::Write,
            } => vec![
                challenge(r#"Bearer realm="avinode-ingest", error="insufficient_scope", scope="write""#),
                close,
            ],
            Self::NotJsonType => vec![close],
            Self::Common(problem) => {
                let unread = !matches!(problem, Problem::NotJson | Problem::Internal | Problem::NotFound);
                problem.header().into_iter().chain(unread.then_some(close)).collect()
            }
            Self::Busy => vec![(RETRY_AFTER, HeaderValue::from_static("1"))],
            _ => Vec::new(),
        }
    }
}

impl From<SessionError> for ApiProblem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::NoSuchSession => Self::NoSuchSession,
            SessionError::ReferenceNotFound { field } => Self::field(field, "refers to nothing"),
            SessionError::Refused { field, why } => Self::field(field, &why),
            SessionError::WrongStatus { status, needs } => Self::WrongStatus { status, needs },
            SessionError::ActiveSessionExists { session } => Self::AnotherIsActive { session },
            SessionError::ConstraintViolation => Self::NotTaken,
            SessionError::Busy | SessionError::Contended { .. } => Self::Busy,
            SessionError::Database(error) => {
                tracing::error!(%error, "a call of the sessions API failed");
                Self::Common(Problem::Internal)
            }
        }
    }
}

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        let headers = self.headers();
        let detail = self.detail();
        let (status, name, title) = self.facts();
        let errors = match self {
            Self::Invalid(errors) => errors,
            _ => Vec::new(),
        };
        let mut response = ProblemDetails::new(status, name, title, detail, errors).into_response();
        response.headers_mut().extend(headers);
        response
    }
}
