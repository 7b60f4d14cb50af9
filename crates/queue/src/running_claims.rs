//! The claims that a worker's loop is serving, and whether other jobs may be under leases of the worker.

use std::time::Duration;

use ingest_postgres::transaction::Pool;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use super::claim::Claim;

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

    /// The lease tokens of what is served.
    pub(super) fn tokens(&self) -> &[i64] {
        &self.tokens
    }

    /// The new host of a database may lack what was settled on the former one: the jobs are under leases there.
    pub(super) fn may_leave_unsettled(&mut self, pool: &Pool) -> bool {
        let moves = pool.moves();
        self.unsettled |= moves != self.moves;
        self.moves = moves;
        self.unsettled
    }

    pub(super) fn is_time_to_look(&mut self) -> bool {
        let is_time = self.looked_at.elapsed() >= LOOK_EVERY;
        if is_time {
            self.looked_at = Instant::now();
        }
        is_time
    }
}
