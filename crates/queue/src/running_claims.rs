//! The claims that a worker's loop is serving, and whether jobs may be under leases of the worker that nothing serves.

use tokio::task::JoinSet;

use super::worker::WorkerStep;
use ingest_postgres::transaction::Pool;

#[derive(Default)]
pub(super) struct RunningClaims {
    pub(super) tasks: JoinSet<Result<WorkerStep, sqlx::Error>>,
    /// Nothing is claimed until all have ended: isolated jobs wait, or run.
    pub(super) draining: bool,
    /// Failures in a row.
    pub(super) failures: i32,
    /// A claim or its settling failed: jobs may be under leases that nothing serves. No success of another claim changes that.
    pub(super) unserved_leases: bool,
    /// The number of changes of the database's host that were seen.
    moves: u64,
}

impl RunningClaims {
    /// The new host of a database may lack what was settled on the former one: the jobs are under leases there.
    pub(super) fn may_hold_unserved_leases(&mut self, pool: &Pool) -> bool {
        let moves = pool.moves();
        self.unserved_leases |= moves != self.moves;
        self.moves = moves;
        self.unserved_leases
    }
}
