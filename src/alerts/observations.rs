//! Observations: what one look at the service shows. Plain data for [`super::decide`].

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::jobs::fetch::status;
use crate::postgres::transaction::Pool;
use crate::queue::dead_jobs::{self, DeadReason};
use crate::queue::job_kind::JobKind;
use crate::queue::rate_limit::status::LimiterStatus;
use crate::queue::{census, shared_counter};
use crate::store::deliveries;

/// The counter of deliveries that other processes than the leader answered 503.
pub const REFUSED_COUNTER: &str = "refused_deliveries";

#[derive(Debug, Clone, Default)]
pub struct Observations {
    /// By the database's clock; without the database by this process's.
    pub now: DateTime<Utc>,
    /// Deliveries that this process answered 503 since the last look.
    pub refused: u64,
    /// `None` while the database cannot be reached.
    pub database: Option<DatabaseObservations>,
}

#[derive(Debug, Clone, Default)]
pub struct DatabaseObservations {
    /// The total of [`REFUSED_COUNTER`].
    pub refused_elsewhere: u64,
    /// The reasons of jobs that died lately.
    pub dead: Vec<DeadReason>,
    pub fetching: FetchingObservation,
    /// The age of the oldest due job of each kind.
    pub due: Vec<(JobKind, Duration)>,
    pub last_delivery: Option<DateTime<Utc>>,
}

/// The state of fetching. A pause because Avinode limits calls is not a stop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum FetchingObservation {
    #[default]
    Running,
    /// The credentials are rejected.
    Suspended,
    /// Avinode's API fails.
    Failing,
    /// No process fetches.
    Unserved,
}

/// Reads what the database shows; dead jobs since `dead_since`.
pub async fn read(pool: &Pool, dead_since: DateTime<Utc>) -> Result<DatabaseObservations, sqlx::Error> {
    let live = census::read(pool).await?.into_iter();
    let due = live.filter(|it| it.state == "available").filter_map(|it| {
        let age = Duration::try_from_secs_f64(it.oldest_due).ok()?;
        Some((it.kind.parse().ok()?, age))
    });
    Ok(DatabaseObservations {
        due: due.collect(),
        refused_elsewhere: u64::try_from(shared_counter::read(pool, REFUSED_COUNTER).await?).unwrap_or_default(),
        dead: dead_jobs::reasons(pool, dead_since).await?,
        fetching: match status::read(pool).await? {
            LimiterStatus::Running | LimiterStatus::Paused { .. } => FetchingObservation::Running,
            LimiterStatus::Suspended { .. } => FetchingObservation::Suspended,
            LimiterStatus::BreakerOpen { .. } => FetchingObservation::Failing,
            LimiterStatus::Unserved => FetchingObservation::Unserved,
        },
        last_delivery: deliveries::newest(pool).await?,
    })
}
