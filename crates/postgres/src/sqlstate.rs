//! The SQLSTATEs that decide what a caller does next.

use std::borrow::Cow;

use super::limits::is_no_answer;
use super::no_host::{NoHost, Refusal};

/// `query_canceled`: a `statement_timeout`, or an admin.
pub const QUERY_CANCELED: &str = "57014";

/// `undefined_table`: the application dropped a table.
pub const UNDEFINED_TABLE: &str = "42P01";

/// `check_violation`: a row does not belong into the partition that it was sent to, because another one was attached meanwhile.
pub const CHECK_VIOLATION: &str = "23514";

/// `deadlock_detected`, `lock_not_available`, `serialization_failure`: another transaction was in the way, and trying again
/// helps.
const CONTENTION: [&str; 3] = ["40P01", "55P03", "40001"];

/// Returns the SQLSTATE of an error that the server reported.
pub fn sqlstate(error: &sqlx::Error) -> Option<Cow<'_, str>> {
    error.as_database_error()?.code()
}

/// Returns whether another transaction was in the way.
pub fn is_contention(sqlstate: &str) -> bool {
    CONTENTION.contains(&sqlstate)
}

/// `undefined_column`: the application's table lacks a column that the statement names.
pub fn is_undefined_column(error: &sqlx::Error) -> bool {
    sqlstate(error).as_deref() == Some("42703")
}

/// `read_only_sql_transaction`: the server was demoted, or the database made read-only.
pub const READ_ONLY: &str = "25006";

/// Returns whether a write met a read-only server or database.
pub fn is_read_only(error: &sqlx::Error) -> bool {
    sqlstate(error).as_deref() == Some(READ_ONLY)
}

/// Returns whether the connection cannot be used any more, or may lead to a server that stops. Class 57 includes `query_canceled`.
pub(super) fn is_connection_lost(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::Protocol(_) => true,
        error => sqlstate(error).is_some_and(|code| code.starts_with("08") || code.starts_with("57")),
    }
}

/// Returns whether another attempt to connect may succeed soon: the server starts, or has no place, or a standby
/// may become the primary.
pub(super) fn is_passing(error: &sqlx::Error) -> bool {
    if let Some(mut refusals) = NoHost::refusals(error) {
        return refusals.any(|refusal| match refusal {
            Refusal::Failed(error) => is_passing(error) || is_no_answer(error),
            Refusal::Standby | Refusal::ReadOnly => true,
        });
    }
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::ConnectionRefused,
        error => sqlstate(error).is_some_and(|code| matches!(&*code, "53300" | "57P03")),
    }
}
