//! The claims that a worker's loop is serving, and whether jobs may be under leases of the worker that nothing serves.

use tokio::task::JoinSet;

use ingest_postgres::transaction::Pool;

pub(super) struct RunningClaims<T> {
    pub(super) tasks: JoinSet<T>,
    /// Nothing is claimed until all have ended: isolated jobs wait, or run.
    pub(super) draining: bool,
    /// Failures in a row.
    pub(super) failures: i32,
    /// A claim or its settling failed: jobs may be under leases that nothing serves. No success of another claim changes that.
    pub(super) unserved_leases: bool,
    /// [`Pool::moves`], when it was last read.
    moves: u64,
}

impl<T: 'static> RunningClaims<T> {
    pub(super) fn none(pool: &Pool) -> Self {
        Self {
            tasks: JoinSet::new(),
            draining: false,
            failures: 0,
            unserved_leases: false,
            moves: pool.moves(),
        }
    }

    /// The new host of a database may lack what was settled on the former one: the jobs are under leases there.
    pub(super) fn may_leave_unserved_leases(&mut self, pool: &Pool) -> bool {
        let moves = pool.moves();
        self.unserved_leases |= moves != self.moves;
        self.moves = moves;
        self.unserved_leases
    }
}
