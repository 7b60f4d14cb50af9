//! What a worker holds while it works, and what becomes of a job that was not finished.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::{Decode, Postgres, Type};
use uuid::Uuid;

use crate::domain::job_kind::JobKind;
use crate::postgres::sqlstate::{is_contention, sqlstate};

/// A job under a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedJob {
    /// `jobs.id`.
    pub id: i64,
    pub kind: JobKind,
    /// Which claim holds it; an apply that finds another token changes nothing.
    pub token: i64,
    /// What it is about, in the handler's own terms.
    pub key: Option<String>,
    /// The delivery it came with, if any.
    pub delivery_id: Option<Uuid>,
    /// When it was queued.
    pub created_at: DateTime<Utc>,
    /// Claims so far that count, this one included.
    pub attempts: i32,
    /// Lone runs that ended with their worker.
    pub crashes: i32,
    /// It was taken over from an expired lease and runs in a batch of its own.
    pub isolated: bool,
}

impl Type<Postgres> for JobKind {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for JobKind {
    fn decode(value: PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        let kind = <&str as Decode<Postgres>>::decode(value)?;
        Self::parse(kind).ok_or_else(|| format!("unknown job kind {kind:?}").into())
    }
}

/// What becomes of a job, or of a whole batch, that could not be finished. A call site reads as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Somebody else held a lock: try again in a moment; costs no attempt.
    #[error("contention: {0}")]
    Contention(String),
    /// Try again after a growing delay, or after the one given.
    #[error("{reason}")]
    Retry {
        /// What was attempted and went wrong, in words for an operator.
        reason: String,
        /// Instead of the growing delay.
        after: Option<Duration>,
    },
    /// It has to wait for something that is not its fault: try again after a while; costs no attempt.
    #[error("{reason}")]
    Snooze {
        /// What it waits for, in words for an operator.
        reason: String,
        /// For how long.
        after: Duration,
    },
    /// Trying again cannot help: the job dies.
    #[error("{0}")]
    Fail(String),
}

impl JobError {
    /// Try again after a growing delay.
    pub fn retry(reason: impl Into<String>) -> Self {
        Self::Retry {
            reason: reason.into(),
            after: None,
        }
    }

    /// Try again after this delay.
    pub fn retry_after(reason: impl Into<String>, after: Duration) -> Self {
        Self::Retry {
            reason: reason.into(),
            after: Some(after),
        }
    }

    /// Try again after this delay, without counting the attempt.
    pub fn wait(reason: impl Into<String>, after: Duration) -> Self {
        Self::Snooze {
            reason: reason.into(),
            after,
        }
    }

    /// Trying again cannot help.
    pub fn fail(reason: impl Into<String>) -> Self {
        Self::Fail(reason.into())
    }
}

/// The remedy for what a database said: a deadlock, a lock time-out or a serialisation failure is contention, all
/// else is tried again (a constraint may fail on data that the application is about to change).
impl From<sqlx::Error> for JobError {
    fn from(error: sqlx::Error) -> Self {
        match sqlstate(&error) {
            Some(code) if is_contention(&code) => Self::Contention(format!("SQLSTATE {code}")),
            _ => Self::retry(error.to_string()),
        }
    }
}

/// Serves claimed jobs of one kind.
pub trait JobHandler: Send + Sync {
    /// The kind of job it serves.
    fn kind(&self) -> JobKind;

    /// How many jobs are claimed at once, at most.
    fn batch_size(&self) -> i64;

    /// Serves a batch. Jobs that it finished, it finished in its own transaction, fenced by [`super::claim::lock_held`];
    /// those it names in `Ok` were left unfinished. `Err`: nothing was changed; a batch of several is then redone job
    /// by job, so that one bad job harms no neighbour.
    fn perform<'a>(&'a self, jobs: &'a [ClaimedJob]) -> BoxFuture<'a, Result<Vec<(i64, JobError)>, JobError>>;
}

/// What became of a finished job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOutcome {
    /// `jobs.id`.
    pub job: i64,
    /// One word: `applied`, `duplicate`, `nothing`.
    pub outcome: &'static str,
    /// What it changed or repeats.
    pub detail: String,
}
