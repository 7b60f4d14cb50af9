//! A claimed job, and the ways in which it can fail.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgTypeInfo, PgValueRef};
use sqlx::{Decode, Postgres, Type};
use uuid::Uuid;

use crate::job_kind::JobKind;
use ingest_postgres::sqlstate::{UNDEFINED_TABLE, is_contention, sqlstate};

/// A job under a lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedJob {
    pub id: i64,
    pub kind: JobKind,
    /// The token of the claim: a transaction that finds another token changes nothing.
    pub token: i64,
    pub key: Option<String>,
    pub delivery_id: Option<Uuid>,
    pub created_at: DateTime<Utc>,
    /// By the database's clock, as all of these: after the job was inserted, and before a handler does anything.
    pub claimed_at: DateTime<Utc>,
    /// Claims that count, this one included.
    pub attempts: i32,
    /// Runs alone that ended with their worker.
    pub crashes: i32,
    /// Taken over from an expired lease: runs in a small batch, or alone if it is suspected.
    pub isolated: bool,
    /// An isolated run ended with its worker, or the job has run alone.
    pub suspected: bool,
}

impl Type<Postgres> for JobKind {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }
}

impl<'r> Decode<'r, Postgres> for JobKind {
    fn decode(value: PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        let kind = <&str as Decode<Postgres>>::decode(value)?;
        kind.parse().map_err(|_| format!("unknown job kind {kind:?}").into())
    }
}

/// Why a job, or a whole batch, was not finished, and what happens next.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JobError {
    /// Another transaction held a lock: run again within moments, without counting the attempt.
    #[error("contention: {0}")]
    Contention(String),
    /// Run again after a growing delay, or after the given one.
    #[error("{reason}")]
    Retry { reason: String, after: Option<Duration> },
    /// Run again after this delay, without counting the attempt.
    #[error("{reason}")]
    Snooze { reason: String, after: Duration },
    /// Dead-letter the job: another attempt cannot help.
    #[error("{0}")]
    Fail(String),
}

impl JobError {
    pub fn retry(reason: impl Into<String>) -> Self {
        let reason = reason.into();
        Self::Retry { reason, after: None }
    }

    pub fn retry_after(reason: impl Into<String>, after: Duration) -> Self {
        let reason = reason.into();
        let after = Some(after);
        Self::Retry { reason, after }
    }

    pub fn snooze(reason: impl Into<String>, after: Duration) -> Self {
        let reason = reason.into();
        Self::Snooze { reason, after }
    }

    pub fn fail(reason: impl Into<String>) -> Self {
        Self::Fail(reason.into())
    }
}

/// The time after which a job looks again for a table that is missing.
const MISSING_TABLE_DELAY: Duration = Duration::from_secs(15);

/// A missing table is waited for without an attempt: the application dropped it, and may create it again at any time. Database
/// errors other than that and contention are retried: a constraint may fail on data that the application is about to change.
impl From<sqlx::Error> for JobError {
    fn from(error: sqlx::Error) -> Self {
        match sqlstate(&error) {
            Some(code) if is_contention(&code) => Self::Contention(format!("SQLSTATE {code}")),
            Some(code) if code == UNDEFINED_TABLE => {
                Self::snooze(format!("waits for a missing table: {error}"), MISSING_TABLE_DELAY)
            }
            _ => Self::retry(error.to_string()),
        }
    }
}
