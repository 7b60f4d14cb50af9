//! The SQLSTATEs that decide what a caller does next.

use std::borrow::Cow;

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
