//! The errors of the operations.

use uuid::Uuid;

use crate::postgres::sqlstate::{READ_ONLY, UNDEFINED_TABLE, is_contention};

/// Why an operation failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    #[error("the session does not exist")]
    SessionNotFound,
    /// A field refers to a row that does not exist.
    #[error("{field} does not exist")]
    ReferenceNotFound { field: &'static str },
    #[error("{field} {error}")]
    InvalidField {
        field: &'static str,
        /// Continues a sentence that begins with the field's name.
        error: String,
    },
    /// The operation is not possible in the session's status.
    #[error("the session is {status}, not {needed}")]
    InvalidStatus { status: String, needed: &'static str },
    #[error("session {session} of the conversation is already active")]
    ActiveSessionExists { session: Uuid },
    /// A constraint or trigger of the application's tables rejected the values.
    #[error("a constraint or trigger of the application's tables rejected the values")]
    ConstraintViolation,
    /// The operation can be repeated.
    #[error("the database is busy or unavailable")]
    Busy,
    #[error("querying the database")]
    Database(#[source] sqlx::Error),
    /// A conflict with a concurrent transaction. It is retried, and never returned to a caller.
    #[error("a concurrent transaction was in the way")]
    Contended(ConflictCause),
}

/// The meaning of a conflict that remains after the last retry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictCause {
    Busy,
    /// A row that appeared or disappeared concurrently would have been seen by a retry, so the key is really missing or
    /// taken.
    ConstraintViolation,
}

impl SessionError {
    /// `error` continues a sentence that begins with the field's name.
    pub fn invalid(field: &'static str, error: impl Into<String>) -> Self {
        let error = error.into();
        Self::InvalidField { field, error }
    }

    /// The meaning of an error that is not retried.
    #[must_use]
    pub fn not_retried(self) -> Self {
        match self {
            Self::Contended(ConflictCause::Busy) => Self::Busy,
            Self::Contended(ConflictCause::ConstraintViolation) => Self::ConstraintViolation,
            error => error,
        }
    }
}

impl From<sqlx::Error> for SessionError {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(error) => error.code().map(std::borrow::Cow::into_owned).unwrap_or_default(),
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => return Self::Busy,
            _ => return Self::Database(error),
        };
        match code.as_str() {
            code if is_contention(code) => Self::Contended(ConflictCause::Busy),
            // foreign_key_violation, unique_violation: checked before, so a row appeared or disappeared concurrently.
            "23503" | "23505" => Self::Contended(ConflictCause::ConstraintViolation),
            // Class 57 includes query_canceled, by our own statement_timeout; in classes 08 and 53 the server is
            // unreachable or out of resources.
            code if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) => Self::Busy,
            // The server was demoted, or the database made read-only: the connection is left.
            READ_ONLY => Self::Busy,
            // The application dropped a table, and may create it again.
            UNDEFINED_TABLE => Self::Busy,
            // Classes 22 and 23 and raise_exception: a value or a constraint of the application's own.
            code if ["22", "23", "P0001"].iter().any(|class| code.starts_with(class)) => Self::ConstraintViolation,
            _ => Self::Database(error),
        }
    }
}
