//! The problems of the sessions API. No detail contains the text of an inner error.

use axum::response::{IntoResponse, Response};
use hyper::header::{HeaderValue, RETRY_AFTER};
use uuid::Uuid;

use super::admin::problem::AdminProblem;
use crate::admin::actions::ActionError;
use crate::admin::batches::error::BatchError;
use crate::domain::api_scope::ApiScope;
use crate::http::problem::{FieldError, Problem, ProblemDetails, problem_sets};
use crate::sessions::entry_stream::StreamError;
use crate::sessions::error::SessionError;

/// Why an API call was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiProblem {
    Common(Problem),
    MissingToken,
    InvalidToken,
    /// The scope of the token is lower.
    Forbidden {
        needed: ApiScope,
    },
    SessionNotFound,
    InvalidStatus {
        status: String,
        /// The statuses that the operation accepts.
        needed: &'static str,
    },
    ActiveSessionExists {
        session: Uuid,
    },
    /// Events after the position were deleted, or it is not a position of this database.
    PositionExpired,
    TooManyStreams,
    UnsupportedMediaType,
    ValidationFailed(FieldError),
    /// A constraint or trigger of the application's tables rejected the values.
    ConstraintViolation,
    Busy,
    Admin(AdminProblem),
}

impl ApiProblem {
    /// An invalid field; `error` continues a sentence that begins with the field's name.
    pub fn field(field: &str, error: &str) -> Self {
        Self::ValidationFailed(FieldError {
            field: field.to_owned(),
            detail: format!("{field} {error}"),
        })
    }

    pub fn details(self) -> ProblemDetails {
        match self {
            Self::Common(problem) => {
                let read = matches!(problem, Problem::InvalidJson | Problem::Internal | Problem::NotFound);
                match read {
                    true => problem.details(),
                    false => problem.details().close(),
                }
            }
            // Rejected before the body is read, as Forbidden and UnsupportedMediaType are.
            Self::MissingToken => unauthorized(
                "Send the header `Authorization: Bearer <token>`.",
                r#"Bearer realm="avinode-ingest""#,
            ),
            Self::InvalidToken => unauthorized(
                "The bearer token is not valid.",
                r#"Bearer realm="avinode-ingest", error="invalid_token""#,
            ),
            Self::Forbidden { needed } => ProblemDetails::new(403, "forbidden", "Insufficient scope")
                .detail(format!("This operation requires a token with the scope {}.", needed.as_str()))
                .challenge(match needed {
                    ApiScope::Read => r#"Bearer realm="avinode-ingest", error="insufficient_scope", scope="read""#,
                    ApiScope::Write => r#"Bearer realm="avinode-ingest", error="insufficient_scope", scope="write""#,
                    ApiScope::Admin => r#"Bearer realm="avinode-ingest", error="insufficient_scope", scope="admin""#,
                })
                .close(),
            Self::SessionNotFound => ProblemDetails::new(404, "session-not-found", "Session not found")
                .detail("No chat session has this id."),
            Self::InvalidStatus { status, needed } => {
                ProblemDetails::new(409, "invalid-status", "Invalid session status").detail(format!(
                    "The session is {status}; this operation requires a session that is {needed}."
                ))
            }
            Self::ActiveSessionExists { session } => {
                ProblemDetails::new(409, "active-session-exists", "Another session is active").detail(format!(
                    "Session {session} of the same conversation is active; pause or complete it first."
                ))
            }
            Self::PositionExpired => ProblemDetails::new(410, "position-expired", "Position not kept").detail(
                "Events after this id were deleted, or it is not an id of this database. Read the sessions again, and then stream \
                 without an id.",
            ),
            Self::TooManyStreams => ProblemDetails::new(503, "too-many-streams", "Too many streams")
                .detail("The setting INGEST_EVENT_STREAMS limits the open streams. Connect again after 5 s.")
                .header(RETRY_AFTER, HeaderValue::from_static("5")),
            Self::UnsupportedMediaType => ProblemDetails::new(
                415,
                "unsupported-media-type",
                "Unsupported media type: expected application/json",
            )
            .detail("Send the body with the header `Content-Type: application/json`.")
            .close(),
            Self::ValidationFailed(error) => {
                let mut details = ProblemDetails::new(422, "validation-failed", "Validation failed")
                    .detail(format!("{}.", error.detail));
                details.errors.push(error);
                details
            }
            Self::ConstraintViolation => ProblemDetails::new(422, "constraint-violation", "Constraint violation")
                .detail("A constraint or a trigger of the application's tables rejected the values."),
            Self::Busy => ProblemDetails::new(503, "busy", "Database busy")
                .detail("Nothing was changed. Send the request again after 1 s.")
                .header(RETRY_AFTER, HeaderValue::from_static("1")),
            Self::Admin(problem) => problem.details(),
        }
    }
}

fn unauthorized(detail: &'static str, challenge: &'static str) -> ProblemDetails {
    ProblemDetails::new(401, "unauthorized", "Authentication required")
        .detail(detail)
        .challenge(challenge)
        .close()
}

impl From<SessionError> for ApiProblem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::SessionNotFound => Self::SessionNotFound,
            SessionError::ReferenceNotFound { field } => Self::field(field, "does not exist"),
            SessionError::InvalidField { field, error } => Self::field(field, &error),
            SessionError::InvalidStatus { status, needed } => Self::InvalidStatus { status, needed },
            SessionError::ActiveSessionExists { session } => Self::ActiveSessionExists { session },
            SessionError::ConstraintViolation => Self::ConstraintViolation,
            SessionError::Busy | SessionError::Contended(_) => Self::Busy,
            SessionError::Database(error) => {
                tracing::error!("an API call failed, the caller gets 500: {error}");
                Self::Common(Problem::Internal)
            }
        }
    }
}

impl From<AdminProblem> for ApiProblem {
    fn from(problem: AdminProblem) -> Self {
        Self::Admin(problem)
    }
}

impl From<BatchError> for ApiProblem {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Unknown(_) => AdminProblem::BatchNotFound.into(),
            BatchError::Finished(_) => AdminProblem::BatchFinished.into(),
            BatchError::Unreadable { .. } => AdminProblem::BatchUnreadable.into(),
            BatchError::NoFilter => Self::field("jobs or deliveries", "has no filter: a batch needs one"),
            BatchError::OtherText(_) => Self::field("text", "is not the text of the dry run"),
            BatchError::Begun(_) => Self::field("batch", "is a dry run from which a batch was begun already"),
            BatchError::NotCounted(_) => Self::field("batch", "is no dry run that is finished"),
            BatchError::Database(error) => error.into(),
            error @ BatchError::Job(_) => {
                tracing::error!("an API call failed, the caller gets 500: {error}");
                Self::Common(Problem::Internal)
            }
        }
    }
}

impl From<ActionError> for ApiProblem {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::Timers(_) => AdminProblem::JobIsTimer.into(),
            ActionError::Database(error) => error.into(),
        }
    }
}

/// An error of a read that has no error type of its own.
impl From<sqlx::Error> for ApiProblem {
    fn from(error: sqlx::Error) -> Self {
        SessionError::from(error).not_retried().into()
    }
}

impl From<StreamError> for ApiProblem {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::TooManyStreams => Self::TooManyStreams,
            StreamError::PositionExpired => Self::PositionExpired,
            StreamError::Session(error) => error.into(),
        }
    }
}

impl IntoResponse for ApiProblem {
    fn into_response(self) -> Response {
        self.details().into_response()
    }
}

problem_sets! {
    /// Problems of an operation that reads.
    ReadProblems = [ApiProblem::MissingToken, Problem::Internal, ApiProblem::Busy];
    /// Problems of an operation that writes.
    WriteProblems = [
        ApiProblem::MissingToken,
        ApiProblem::Forbidden { needed: ApiScope::Write },
        ApiProblem::field("field", "is not valid"),
        ApiProblem::ConstraintViolation,
        Problem::Internal,
        ApiProblem::Busy,
    ];
    /// Problems of an operation that changes jobs or deliveries.
    AdminProblems = [
        ApiProblem::MissingToken,
        ApiProblem::Forbidden { needed: ApiScope::Admin },
        Problem::Internal,
        ApiProblem::Busy,
    ];
    /// Problems of an operation on one session.
    SessionProblems = [ApiProblem::SessionNotFound];
    /// Problems of an operation that changes the status of a session.
    StatusProblems = [
        ApiProblem::InvalidStatus { status: String::new(), needed: "" },
        ApiProblem::ActiveSessionExists { session: Uuid::nil() },
    ];
    /// Problems of an operation with query parameters.
    QueryProblems = [ApiProblem::field("parameter", "is not valid")];
    /// Problems of a stream. `Busy` is among those of every operation that reads.
    EventProblems = [ApiProblem::PositionExpired, ApiProblem::TooManyStreams, ApiProblem::Busy];
    /// Problems of an operation with a body.
    BodyProblems = [
        Problem::InvalidJson,
        Problem::IncompleteBody,
        Problem::Timeout,
        Problem::TooLarge { limit: 0 },
        Problem::UnsupportedEncoding,
        ApiProblem::UnsupportedMediaType,
    ];
}
