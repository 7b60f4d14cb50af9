//! Work under leases, which are renewed while it lasts.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::MissedTickBehavior;

use super::claim;
use super::job::{ClaimedJob, JobError};
use ingest_postgres::transaction::Pool;

/// The leases of `held` while some work is done under them.
pub(super) struct HeldLeases<'a> {
    /// Not the pool of the work: its connection may be in a transaction.
    pub(super) pool: &'a Pool,
    pub(super) held: Vec<ClaimedJob>,
    pub(super) lease: Duration,
    /// Claimed just now. Otherwise the leases are renewed immediately.
    pub(super) fresh: bool,
}

impl HeldLeases<'_> {
    /// Does `work`, which fails after `limit`, and renews the leases meanwhile. Both are polled by one task: the work's
    /// transaction may hold the very rows that the renewal updates, and must not wait for it.
    pub(super) async fn run_with_heartbeat<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = Result<T, JobError>>,
    ) -> Result<T, JobError> {
        // A panic fails the job, not its worker. The limit ends work on a connection that was cut silently.
        let work = tokio::time::timeout(limit, AssertUnwindSafe(work).catch_unwind());
        tokio::select! {
            result = work => match result {
                Ok(Ok(result)) => result,
                Ok(Err(_)) => Err(JobError::retry("the handler panicked, see the log for the place")),
                Err(_) => Err(JobError::retry(format!("not finished within {} s", limit.as_secs()))),
            },
            () = self.renew() => unreachable!("renewing ends with the work"),
        }
    }

    async fn renew(&self) {
        let mut heartbeat = tokio::time::interval(self.lease / 3);
        heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if self.fresh {
            heartbeat.tick().await;
        }
        loop {
            heartbeat.tick().await;
            if let Err(error) = claim::renew(self.pool, &self.held, self.lease).await {
                // Losing the lease is safe: the apply is fenced.
                let jobs = self.held.len();
                tracing::warn!(jobs, "failed to renew the leases of {jobs} jobs, will retry: {error}");
            }
        }
    }
}
