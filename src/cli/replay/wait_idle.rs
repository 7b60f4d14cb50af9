//! Waiting until the work that was sent is done: the queue is asked until nothing is due or under way.
//!
//! Polled, because what is waited for is the absence of something, which nobody announces.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::domain::job_kind::JobKind;
use crate::jobs::fetch::status;
use crate::postgres::transaction::Pool;
use crate::queue::admin;

/// How often the queue is asked.
const POLL: Duration = Duration::from_millis(10);

/// What is to be looked at within so long belongs to the work: it is what a document that was read too early left out.
const SOON: Duration = Duration::from_secs(30);

/// Why the work is not done.
#[derive(Debug, thiserror::Error)]
pub enum WaitIdleError {
    /// The queue could not be asked.
    #[error("could not count the jobs that are due")]
    Count(#[from] sqlx::Error),
    /// It takes too long.
    #[error("{left} jobs are still due or under way after {} s", .limit.as_secs())]
    TooLong {
        /// How many.
        left: i64,
        /// The time they were given.
        limit: Duration,
    },
}

/// Waits until no job is due or under way, nor a resource to be looked at soon, at most for `limit`. What lies far ahead, such
/// as the expiry of a quote, is not waited for.
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
        sleep(POLL).await;
    }
}
