//! Spans of time as Postgres takes them.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

/// An interval of whole microseconds; what is finer is cut off.
pub fn interval(span: Duration) -> PgInterval {
    PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(span.as_micros()).unwrap_or(i64::MAX),
    }
}
