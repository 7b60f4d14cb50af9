//! The worker that runs batches of admins. Its own, because a dry run takes minutes, in which it would hold up other jobs.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::settings::ServiceSettings;
use crate::admin::batches::handler;
use crate::jobs::apply::JobApplier;
use crate::postgres::limits::WORK_STATEMENT;
use crate::postgres::transaction::Pool;
use crate::queue::claim_by_kind::ClaimByKind;
use crate::queue::worker::Worker;
use crate::store::session_changes::SessionChanges;

/// Connections for batches.
pub const BATCH_CONNECTIONS: u32 = 1;
/// The longest dry run.
const MIN_WORK_LIMIT: Duration = Duration::from_secs(60 * 60);

pub(super) fn worker(
    pool: &Pool,
    settings: &ServiceSettings,
    changes: &SessionChanges,
    wake: Arc<Notify>,
) -> Arc<Worker> {
    let own = pool.sibling_by_index(BATCH_CONNECTIONS).statement_limit(WORK_STATEMENT);
    let applier = Arc::new(JobApplier {
        pool: own.clone(),
        policy: settings.policy,
        clock: settings.clock,
        changes: changes.clone(),
    });
    Arc::new(Worker {
        lease: settings.lease,
        min_work_limit: MIN_WORK_LIMIT,
        poll: settings.poll,
        retry: settings.retry,
        wake,
        ..Worker::new(
            own,
            pool.clone(),
            ClaimByKind::new(vec![handler::kind_handler(applier)]),
        )
    })
}
