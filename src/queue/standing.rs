//! How a limited thing stands, for people: whether somebody calls, and what holds the calls up.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::postgres::transaction::Pool;

/// A process that has not been there for so long is gone.
pub const GONE_AFTER: Duration = Duration::from_secs(180);
/// How often a process says that it is there.
pub const SEEN_EVERY: Duration = Duration::from_secs(45);

/// How a limited thing stands, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// No process keeps it.
    Unserved,
    /// The credentials of the process that started last were refused, with these words.
    Stopped {
        /// What was said.
        because: String,
        /// When it is tried again, at the latest.
        until: Option<DateTime<Utc>>,
    },
    /// The breaker is open.
    Open {
        /// Until when, or until a probe tells more.
        until: DateTime<Utc>,
    },
    /// The other side asked for a pause.
    Paused {
        /// Until when.
        until: DateTime<Utc>,
    },
    /// Calls are made.
    Running,
}

/// How the limiter of this name stands.
pub async fn standing(pool: &Pool, name: &str) -> Result<Standing, sqlx::Error> {
    let mut tx = pool.begin().await?;
    // Not the macros': `check` asks behind any pooler, where a statement may have no name.
    let row: Option<StandingRow> = sqlx::query_as(
        r#"
        SELECT seen_at > clock_timestamp() - make_interval(secs => $2) AS seen,
            CASE WHEN stopped_caller = caller THEN stopped_because END AS because, stopped_until,
            CASE WHEN open_until IS NOT NULL THEN greatest(open_until, clock_timestamp()) END AS open_until,
            CASE WHEN paused_until > clock_timestamp() THEN paused_until END AS paused_until
        FROM avinode_ingest.limiters
        WHERE name = $1
        "#,
    )
    .bind(name)
    .bind(GONE_AFTER.as_secs_f64())
    .persistent(false)
    .fetch_optional(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(match row {
        Some((true, Some(because), until, _, _)) => Standing::Stopped { because, until },
        Some((true, None, _, Some(until), _)) => Standing::Open { until },
        Some((true, None, _, None, Some(until))) => Standing::Paused { until },
        Some((true, None, _, None, None)) => Standing::Running,
        Some((false, ..)) | None => Standing::Unserved,
    })
}

type Moment = Option<DateTime<Utc>>;
type StandingRow = (bool, Option<String>, Moment, Moment, Moment);
