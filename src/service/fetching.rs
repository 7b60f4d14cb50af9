//! The part of the process that fetches: its worker, and what `/readyz` tells of it.

use std::sync::Arc;

use tokio::sync::Notify;

use super::ServiceSettings;
use crate::avinode::client::avinode_client::ClientBuildError;
use crate::avinode::client::config::AvinodeSettings;
use crate::http::readiness::StatusDetail;
use crate::jobs::fetch::status;
use crate::jobs::registry;
use crate::postgres::transaction::Pool;
use crate::queue::rate_limited_worker::RateLimitedWorker;
use crate::queue::retry::RetryPolicy;

/// Connections of the worker's own: one claims while what was fetched is applied by the others.
pub const FETCHING_CONNECTIONS: u32 = 3;

/// The worker that fetches.
pub(super) fn worker(
    pool: &Pool,
    settings: &ServiceSettings,
    avinode: &AvinodeSettings,
    bell: Arc<Notify>,
) -> Result<Arc<RateLimitedWorker>, ClientBuildError> {
    let own = pool.sibling(FETCHING_CONNECTIONS);
    let paced = registry::fetching(own, pool.clone(), avinode, settings.policy, settings.clock)?;
    Ok(Arc::new(RateLimitedWorker {
        lease: settings.lease,
        poll: settings.poll,
        // How often is the fetching worker's own: Avinode's patience is two days.
        retry: RetryPolicy {
            max_attempts: paced.retry.max_attempts,
            ..settings.retry
        },
        bell,
        ..paced
    }))
}

/// How fetching stands, in all processes together: where it waits for credentials or has stopped, deliveries are taken all the
/// same.
pub(super) fn detail(pool: &Pool) -> StatusDetail {
    let pool = pool.clone();
    StatusDetail::new("fetching", move || {
        let pool = pool.clone();
        Box::pin(async move {
            match status::standing(&pool).await {
                Ok(found) => status::words(&found),
                Err(_) => "unknown".to_owned(),
            }
        })
    })
}

#[cfg(test)]
mod tests;
