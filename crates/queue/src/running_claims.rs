//! The claims that a worker's loop is serving, and whether other jobs may be under leases of the worker.

use std::time::Duration;

use ingest_postgres::transaction::Pool;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::claim::Claim;
use super::release;

/// A worker looks this often for jobs whose completion was undone by a crash of Postgres which no statement of the worker met.
const LOOK_EVERY: Duration = Duration::from_secs(2);

pub(super) struct RunningClaims<T> {
    tasks: JoinSet<(Vec<i64>, T)>,
    /// Of each running task, one for each of its claims: tasks of one claim have the same.
    tokens: Vec<i64>,
    /// Nothing is claimed until all have ended: isolated jobs wait, or run.
    pub(super) draining: bool,
    /// Failures in a row.
    pub(super) failures: i32,
    /// A claim or its settling failed: jobs may be under leases that nothing serves. No success of another claim changes that.
    pub(super) unsettled: bool,
    looked_at: Instant,
    /// [`Pool::moves`], when it was last read.
    moves: u64,
}

impl<T: Send + 'static> RunningClaims<T> {
    pub(super) fn none(pool: &Pool) -> Self {
        Self {
            tasks: JoinSet::new(),
            tokens: Vec::new(),
            draining: false,
            failures: 0,
            unsettled: false,
            looked_at: Instant::now(),
            moves: pool.moves(),
        }
    }

    /// Serves a claim in a task of its own.
    pub(super) fn start<F>(&mut self, claim: Claim, serve: impl FnOnce(Claim) -> F)
    where
        F: Future<Output = T> + Send + 'static,
    {
        let mut tokens: Vec<i64> = claim.jobs().map(|job| job.token).collect();
        tokens.dedup();
        self.tokens.extend_from_slice(&tokens);
        let served = serve(claim);
        self.tasks.spawn(async move { (tokens, served.await) });
    }

    /// Waits until a task ends; `None`: none runs.
    pub(super) async fn next_ended(&mut self) -> Option<Result<T, JoinError>> {
        let ended = self.tasks.join_next().await?;
        Some(ended.map(|(tokens, served)| {
            for token in tokens {
                if let Some(place) = self.tokens.iter().position(|it| *it == token) {
                    self.tokens.swap_remove(place);
                }
            }
            served
        }))
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Releases jobs under leases of the worker that it does not serve: no other worker would touch them for the length of a lease.
    pub(super) async fn release_unserved(&mut self, pool: &Pool, worker: &str) -> Result<(), sqlx::Error> {
        if self.may_leave_unsettled(pool) {
            if self.is_empty() {
                release::expire_leases(pool, worker).await?;
                self.unsettled = false;
            }
        } else if self.looked_at.elapsed() >= LOOK_EVERY {
            self.looked_at = Instant::now();
            let jobs = release::release_undone(pool, worker, &self.tokens).await?;
            if jobs > 0 {
                tracing::info!(
                    worker,
                    jobs,
                    "redoing {jobs} jobs, whose completion a crash of Postgres undid"
                );
            }
        }
        Ok(())
    }

    /// The new host of a database may lack what was settled on the former one: the jobs are under leases there.
    fn may_leave_unsettled(&mut self, pool: &Pool) -> bool {
        let moves = pool.moves();
        self.unsettled |= moves != self.moves;
        self.moves = moves;
        self.unsettled
    }
}
