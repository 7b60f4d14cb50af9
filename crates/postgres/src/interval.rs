//! Converts durations to Postgres intervals.

use std::time::Duration;

use sqlx::postgres::types::PgInterval;

/// Returns an interval of whole microseconds, rounded down.
pub fn interval(span: Duration) -> PgInterval {
    PgInterval {
        months: 0,
        days: 0,
        microseconds: i64::try_from(span.as_micros()).unwrap_or(i64::MAX),
    }
}
