//! What can be wrong with a call, named after what is wrong.

use uuid::Uuid;

use crate::postgres::sqlstate::is_contention;

/// Why an operation was not done. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// There is no session of this id.
    #[error("there is no such session")]
    NoSuchSession,
    /// A field refers to a row that does not exist.
    #[error("{field} refers to nothing")]
    ReferenceNotFound {
        /// The field.
        field: &'static str,
    },
    /// A field has a value that cannot be taken.
    #[error("{field} {why}")]
    Refused {
        /// The field.
        field: &'static str,
        /// The rest of a sentence that begins with the field's name.
        why: String,
    },
    /// The session's status does not allow it.
    #[error("the session is {status}, not {needs}")]
    WrongStatus {
        /// Its status.
        status: String,
        /// What it would have to be.
        needs: &'static str,
    },
    /// The conversation has another session that is active.
    #[error("session {session} of the conversation is active already")]
    ActiveSessionExists {
        /// Which.
        session: Uuid,
    },
    /// The application's own rules on its tables refuse it.
    #[error("the application's tables refuse the values")]
    ConstraintViolation,
    /// The database has no time for it now; trying again is right.
    #[error("the database is busy or away")]
    Busy,
    /// The database failed otherwise.
    #[error("asking the database")]
    Database(#[source] sqlx::Error),
    /// Another transaction was in the way; tried again before anybody sees it.
    #[error("another transaction was in the way")]
    Contended {
        /// What it is called when trying again does not help.
        last: ConflictCause,
    },
}

/// What contention turns out to be when it does not pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConflictCause {
    /// [`SessionError::Busy`].
    Busy,
    /// [`SessionError::ConstraintViolation`]: a key that was missing or taken for a moment would have been seen by now.
    NotTaken,
}

impl From<sqlx::Error> for SessionError {
    fn from(error: sqlx::Error) -> Self {
        let code = match &error {
            sqlx::Error::Database(said) => said.code().map(std::borrow::Cow::into_owned).unwrap_or_default(),
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Io(_) => return Self::Busy,
            _ => return Self::Database(error),
        };
        match code.as_str() {
            code if is_contention(code) => Self::Contended {
                last: ConflictCause::Busy,
            },
            // foreign_key_violation, unique_violation: looked for before, so something came or went meanwhile.
            "23503" | "23505" => Self::Contended {
                last: ConflictCause::NotTaken,
            },
            // query_canceled is our own statement_timeout; classes 08, 53 and 57: the server is away, full or going down.
            code if ["08", "53", "57"].iter().any(|class| code.starts_with(class)) => Self::Busy,
            // Classes 22 and 23 and raise_exception: a value or a constraint of the application's own.
            code if ["22", "23", "P0001"].iter().any(|class| code.starts_with(class)) => Self::ConstraintViolation,
            _ => Self::Database(error),
        }
    }
}
