//! The state of fetching: whether calls of Avinode's API are made, and by which process.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Clock;
use crate::jobs::fetch::status;
use crate::postgres::transaction::Pool;
use crate::queue::leader::LeaseRow;
use crate::queue::rate_limit::status::LimiterStatus;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FetchingStatus {
    /// `running`, `paused` (Avinode limits our calls), `breaker_open` (Avinode is failing), `suspended` (the credentials are rejected)
    /// or `unserved` (no process fetches).
    pub state: String,
    pub description: String,
    /// The time at which calls may go on, if they are held back.
    pub until: Option<DateTime<Utc>>,
    /// Null if no process fetches.
    pub leader: Option<LeaseHolder>,
    /// Calls a second in the long run, over all processes. Null before the first process fetched.
    pub calls_per_second: Option<f64>,
    /// Calls in a row after a pause.
    pub burst: Option<u32>,
    /// Until then a call costs two of the limit, because Avinode said that little of its own is left. Null afterwards.
    pub slow_until: Option<DateTime<Utc>>,
    /// Resources whose calls failed since the last success, at most 100.
    pub failed_resources: usize,
    /// Resources that Avinode refused since the last success, at most 100.
    pub refused_resources: usize,
}

/// The process that holds a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LeaseHolder {
    /// The process's id on its host, and a part of its own.
    pub process: String,
    pub held_until: DateTime<Utc>,
}

impl LeaseHolder {
    /// `None` if the lease has run out.
    pub fn of_lease(lease: LeaseRow) -> Option<Self> {
        (lease.held_until > lease.now).then_some(Self {
            process: lease.holder,
            held_until: lease.held_until,
        })
    }
}

pub async fn read(pool: &Pool) -> Result<FetchingStatus, sqlx::Error> {
    let report = status::report(pool).await?;
    let slow_until = report
        .restrictions
        .slow_until
        .filter(|until| *until > Clock::System.now());
    let is_served = report.status != LimiterStatus::Unserved;
    let restrictions = report.restrictions;
    Ok(FetchingStatus {
        state: report.status.as_str().to_owned(),
        description: status::describe(&report.status),
        until: report.status.until(),
        leader: report.lease.filter(|_| is_served).and_then(LeaseHolder::of_lease),
        calls_per_second: restrictions.limit.map(|limit| limit.per_second),
        burst: restrictions.limit.map(|limit| limit.burst),
        slow_until,
        failed_resources: restrictions.breaker.failed.len(),
        refused_resources: restrictions.refused.keys.len(),
    })
}
