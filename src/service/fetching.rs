//! The part of the process that fetches from Avinode, and its detail in `/readyz`.

use std::sync::Arc;

use tokio::sync::Notify;

use super::settings::ServiceSettings;
use crate::avinode::client::avinode_client::ClientBuildError;
use crate::avinode::client::config::AvinodeSettings;
use crate::http::readiness::StatusDetail;
use crate::jobs::fetch::leader::FetchLeader;
use crate::jobs::fetch::status;
use crate::jobs::registry::{self, FETCH_ATTEMPTS};
use crate::postgres::limits::WORK_STATEMENT;
use crate::postgres::transaction::Pool;
use crate::queue::retry::RetryPolicy;
use crate::store::session_changes::SessionChanges;

/// Connections for fetching: one claims while the others apply what was fetched, and one renews the leader lease.
pub const FETCHING_CONNECTIONS: u32 = APPLY_CONNECTIONS + 1;
const APPLY_CONNECTIONS: u32 = 3;

pub(super) fn leader(
    pool: &Pool,
    settings: &ServiceSettings,
    avinode: &AvinodeSettings,
    wake: Arc<Notify>,
    changes: &SessionChanges,
) -> Result<FetchLeader, ClientBuildError> {
    let own = pool.sibling(APPLY_CONNECTIONS).statement_limit(WORK_STATEMENT);
    let leader = registry::fetch_leader(own, pool.clone(), avinode, settings.policy, settings.clock, changes)?;
    Ok(FetchLeader {
        lease: settings.lease,
        poll: settings.poll,
        retry: RetryPolicy {
            max_attempts: FETCH_ATTEMPTS,
            ..settings.retry
        },
        wake,
        ..leader
    })
}

/// The status of fetching in all processes together. Deliveries are received whatever it is.
pub(super) fn detail(pool: &Pool) -> StatusDetail {
    let pool = pool.clone();
    StatusDetail::new("fetching", move || {
        let pool = pool.clone();
        Box::pin(async move {
            match status::read(&pool).await {
                Ok(current) => status::describe(&current),
                Err(_) => "unknown".to_owned(),
            }
        })
    })
}

#[cfg(test)]
mod tests;
