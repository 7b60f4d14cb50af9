//! The periodic work: the process that does it, and its last runs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::fetching::LeaseHolder;
use crate::jobs::maintenance::LEASE;
use crate::postgres::transaction::Pool;
use crate::queue::leader::{self, PeriodicRun};

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MaintenanceStatus {
    /// Null if no process has workers.
    pub leader: Option<LeaseHolder>,
    /// The last run of each task.
    pub tasks: Vec<PeriodicRun>,
}

pub async fn read(pool: &Pool) -> Result<MaintenanceStatus, sqlx::Error> {
    Ok(MaintenanceStatus {
        leader: leader::read(pool, LEASE).await?.and_then(LeaseHolder::of_lease),
        tasks: leader::last_runs(pool).await?,
    })
}
