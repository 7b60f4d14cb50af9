//! Waits until the queue is idle. Polls, because no notification says that there is nothing to do.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::jobs::fetch::status;
use crate::postgres::transaction::Pool;
use crate::queue::admin;
use crate::queue::job_kind::JobKind;

const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// A follow-up that is due within this time belongs to the work: it fetches again what may have been fetched too early.
const SOON: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum WaitIdleError {
    #[error("could not count the due jobs")]
    Count(#[from] sqlx::Error),
    #[error("{left} jobs are still due or running after {} s", .limit.as_secs())]
    TooLong { left: i64, limit: Duration },
}

/// Waits until no job is due or running and no follow-up is due soon, at most for `limit`. Jobs scheduled further ahead, such as
/// the expiry of a quote, do not count.
pub async fn wait_until_settled(pool: &Pool, limit: Duration) -> Result<(), WaitIdleError> {
    let started = Instant::now();
    loop {
        let blocked = status::blocked_kinds(pool).await?;
        let left = admin::count_runnable(pool, &blocked.kinds, &[JobKind::FetchFollowUp], SOON).await?;
        if left == 0 {
            return Ok(());
        }
        if started.elapsed() >= limit {
            return Err(WaitIdleError::TooLong { left, limit });
        }
        sleep(POLL_INTERVAL).await;
    }
}
