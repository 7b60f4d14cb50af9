//! Working under a lease: it is kept up for as long as the work takes, and the work has an end.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::MissedTickBehavior;

use super::claim;
use super::job::{ClaimedJob, JobError};
use crate::postgres::transaction::Pool;

/// How many leases long work may take before it is given up, where nothing else is said.
pub(super) const WORK_LEASES: u32 = 5;

/// Does `work` and keeps the leases of `held` up meanwhile. Both are polled side by side: the work's transaction may hold the
/// very rows that are to be extended, and must not wait for that to be over. Unless they were claimed just now, the leases
/// have been running for a while and are extended at once. After `within` the work is given up.
pub(super) async fn run_with_heartbeat<T>(
    leases: &Pool,
    held: &[ClaimedJob],
    lease: Duration,
    within: Duration,
    claimed_just_now: bool,
    work: impl Future<Output = Result<T, JobError>>,
) -> Result<T, JobError> {
    let keep_up = async {
        let mut beat = tokio::time::interval(lease / 3);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        if claimed_just_now {
            beat.tick().await;
        }
        loop {
            beat.tick().await;
            if let Err(error) = claim::renew(leases, held, lease).await {
                // Losing the lease is safe: the apply is fenced.
                let kind = held.first().map(|job| job.kind.as_str());
                tracing::warn!(%error, kind, "could not extend leases");
            }
        }
    };
    // A panic is the job's fault, not the worker's. And a connection that was cut without a word would be waited for for
    // ever, with its leases kept up.
    let work = AssertUnwindSafe(work).catch_unwind();
    tokio::select! {
        done = tokio::time::timeout(within, work) => match done {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(JobError::retry("its handler panicked; the log has the place")),
            Err(_) => Err(JobError::retry(format!("not done within {} s", within.as_secs()))),
        },
        () = keep_up => unreachable!("leases are kept up for as long as the work takes"),
    }
}
