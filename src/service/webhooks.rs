//! The worker that sends webhooks about changed sessions. Its own, so that a slow receiver holds up no other job.

use std::sync::Arc;

use tokio::sync::Notify;

use super::settings::ServiceSettings;
use crate::jobs::registry;
use crate::notify::sender::{ClientError, NotifySender};
use crate::notify::target::NotifyTarget;
use crate::postgres::transaction::Pool;
use crate::queue::claim_by_kind::ClaimByKind;
use crate::queue::worker::Worker;

/// Connections for webhooks: no transaction is open during a call.
pub const WEBHOOK_CONNECTIONS: u32 = 2;
/// Calls at the same time.
const CALLS: usize = 8;

pub(super) fn worker(
    pool: &Pool,
    settings: &ServiceSettings,
    target: &Arc<NotifyTarget>,
    wake: Arc<Notify>,
) -> Result<Arc<Worker>, ClientError> {
    let own = pool.sibling(WEBHOOK_CONNECTIONS);
    let sender = NotifySender::new(target.clone())?;
    let claimer = ClaimByKind::new(registry::webhook_handlers(&own, sender, settings.clock)).one_per_key();
    Ok(Arc::new(Worker {
        concurrency: CALLS,
        lease: settings.lease,
        poll: settings.poll,
        retry: settings.retry,
        wake,
        ..Worker::new(own, pool.clone(), claimer)
    }))
}
