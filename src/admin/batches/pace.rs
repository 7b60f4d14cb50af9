//! The pace of a batch: it enqueues no more work while much work waits, so that new deliveries do not wait behind it.

use super::error::BatchError;
use super::work::BatchWork;
use crate::jobs::fetch::status;
use crate::postgres::transaction::Pool;
use crate::queue::admin;
use crate::queue::job_kind::JobKind;
use crate::queue::process_lease;

/// The due jobs from which on a batch waits.
pub const MAX_WAITING: i64 = 1_000;
/// The same for jobs that need Avinode's API: a call takes long, and a limit bounds their rate.
pub const MAX_WAITING_FETCHES: i64 = 100;

/// Returns whether a step may enqueue jobs. Without a running process, and for kinds that do not run at present, there is nothing to
/// wait for.
pub(super) async fn may_step(pool: &Pool, work: &BatchWork) -> Result<bool, BatchError> {
    if matches!(work, BatchWork::Discard { .. }) || !process_lease::is_any_held(pool).await? {
        return Ok(true);
    }
    let blocked = status::blocked_kinds(pool).await?.kinds;
    let fetching: Vec<JobKind> = JobKind::FETCHING
        .into_iter()
        .filter(|kind| !blocked.contains(kind))
        .collect();
    if admin::count_due(pool, &fetching, MAX_WAITING_FETCHES).await? >= MAX_WAITING_FETCHES {
        return Ok(false);
    }
    Ok(admin::count_due(pool, &JobKind::APPLYING, MAX_WAITING).await? < MAX_WAITING)
}
