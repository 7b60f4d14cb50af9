//! The status of fetching in words: for `check`, for `/readyz`, and for the list of jobs.

use crate::postgres::transaction::Pool;
use crate::queue::admin::BlockedKinds;
use crate::queue::job_kind::JobKind;
use crate::queue::rate_limit::status::{self, LimiterReport, LimiterStatus};

/// The leader lease of the process that fetches.
pub const LEASE: &str = "fetching";

pub const NO_CREDENTIALS: &str =
    "no process has credentials of Avinode's API: AVINODE_BASE_URL, AVINODE_API_TOKEN and AVINODE_BEARER";

pub async fn read(pool: &Pool) -> Result<LimiterStatus, sqlx::Error> {
    status::read(pool, LEASE).await
}

/// Reads the status with the process that fetches.
pub async fn report(pool: &Pool) -> Result<LimiterReport, sqlx::Error> {
    status::report(pool, LEASE).await
}

/// Returns why fetch jobs do not run for long; `None` while they run, or pause for moments.
pub fn blocked(status: &LimiterStatus) -> Option<String> {
    match status {
        LimiterStatus::Unserved => Some(NO_CREDENTIALS.to_owned()),
        LimiterStatus::Suspended { reason, .. } => Some(format!("fetching is suspended: {reason}")),
        LimiterStatus::BreakerOpen { .. } | LimiterStatus::Paused { .. } | LimiterStatus::Running => None,
    }
}

/// Returns one line.
pub fn describe(status: &LimiterStatus) -> String {
    match status {
        LimiterStatus::Unserved => format!("not running: {NO_CREDENTIALS}"),
        LimiterStatus::Suspended { reason, .. } => format!("suspended: {reason}"),
        LimiterStatus::BreakerOpen { .. } => "paused: Avinode is failing".to_owned(),
        LimiterStatus::Paused { .. } => "paused: Avinode limits our calls".to_owned(),
        LimiterStatus::Running => "ok".to_owned(),
    }
}

/// Returns the kinds of jobs that do not run, and why; none while fetching runs.
pub async fn blocked_kinds(pool: &Pool) -> Result<BlockedKinds, sqlx::Error> {
    Ok(match blocked(&read(pool).await?) {
        Some(reason) => BlockedKinds {
            kinds: JobKind::FETCHING.to_vec(),
            reason,
        },
        None => BlockedKinds::default(),
    })
}
