//! Liveness of processes. Each process renews a lease of its own every second, in `leader_leases`. When it runs out, or a process
//! of the same machine is seen to have ended, the jobs of that process are taken over at once: the leases of jobs are long, so that
//! a slow worker of a living process keeps its jobs.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;

use super::leader::{self, LeaderLease};
use super::process_identity::ProcessIdentity;
use ingest_postgres::columns::column;
use ingest_postgres::transaction::Pool;

/// A process that was silent for this long counts as dead.
pub const HOLD: Duration = Duration::from_secs(6);
const RENEW_EVERY: Duration = Duration::from_secs(1);
/// Shorter than [`HOLD`], so that a renewal that gets no answer is followed by another one in time.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// Begins the name of each process's lease.
const PREFIX: &str = "process/";

/// Keeps this process's lease, and takes over the jobs of dead ones.
#[derive(Debug)]
pub struct ProcessLease {
    lease: LeaderLease,
    identity: Option<ProcessIdentity>,
    /// Begin of the time since which the lease was renewed without a gap.
    held_since: Option<Instant>,
    renewed_at: Instant,
}

/// Processes whose jobs were taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TakenOver {
    pub processes: i64,
    pub jobs: i64,
}

impl ProcessLease {
    /// `process` begins the names of this process's workers.
    pub fn new(pool: Pool, process: &str, identity: Option<ProcessIdentity>) -> Self {
        Self {
            lease: LeaderLease {
                pool,
                name: format!("{PREFIX}{process}").into(),
                holder: process.to_owned(),
            },
            identity,
            held_since: None,
            renewed_at: Instant::now(),
        }
    }

    /// Takes the lease, unless the database gives no answer in time: [`ProcessLease::run`] goes on to try.
    pub async fn begin(mut self) -> Self {
        match timeout(ANSWER_TIMEOUT, self.step()).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!("failed to take the lease of this process, will retry: {error}"),
            Err(_) => tracing::debug!("failed to take the lease of this process, will retry: no answer in time"),
        }
        self
    }

    /// Renews and takes over until `stop`, and wakes the workers when jobs were taken over.
    pub async fn run(mut self, wake: Arc<Notify>, stop: CancellationToken) {
        let mut ticks = interval(RENEW_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while stop.run_until_cancelled(ticks.tick()).await.is_some() {
            match timeout(ANSWER_TIMEOUT, self.step()).await {
                Ok(Ok(taken)) if taken.jobs > 0 => wake.notify_one(),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::debug!("failed to renew the lease of this process, will retry: {error}"),
                Err(_) => tracing::debug!("failed to renew the lease of this process, will retry: no answer in time"),
            }
        }
    }

    /// Renews the lease once, and takes over the jobs of dead processes.
    ///
    /// A lease that has run out proves a death only to a process that renewed its own meanwhile: while the database is away, all
    /// leases run out.
    pub async fn step(&mut self) -> Result<TakenOver, sqlx::Error> {
        let status = self
            .identity
            .as_ref()
            .and_then(|identity| serde_json::to_value(identity).ok());
        self.lease.hold(HOLD, status).await?;
        let now = Instant::now();
        if self.held_since.is_none() || now.duration_since(self.renewed_at) >= HOLD {
            self.held_since = Some(now);
        }
        self.renewed_at = now;
        let steady = self.held_since.is_some_and(|since| now.duration_since(since) >= HOLD);
        let mut others = others(&self.lease).await?;
        others.retain(|other| (other.has_run_out && steady) || self.knows_ended(other));
        match others.is_empty() {
            true => Ok(TakenOver::default()),
            false => take_over(&self.lease.pool, &others).await,
        }
    }

    fn knows_ended(&self, other: &OtherProcess) -> bool {
        // A process of another version may say something else of itself.
        let identity = other
            .status
            .clone()
            .and_then(|status| serde_json::from_value(status).ok());
        self.identity
            .as_ref()
            .zip(identity)
            .is_some_and(|(this, other)| this.knows_ended(&other))
    }
}

/// Returns whether a process has its lease: the death of one that has none is not seen before the leases of its jobs run out.
pub async fn is_held(pool: &Pool, process: &str) -> Result<bool, sqlx::Error> {
    let lease = leader::read(pool, &format!("{PREFIX}{process}")).await?;
    Ok(lease.is_some())
}

/// Deletes the lease of a process that ends, which has released its jobs.
pub async fn end(pool: &Pool, process: &str) -> Result<(), sqlx::Error> {
    let statement = sqlx::query!(
        "DELETE FROM avinode_ingest.leader_leases WHERE name = $1",
        format!("{PREFIX}{process}")
    );
    pool.execute(statement).await.map(drop)
}

/// Returns whether a process of the service runs.
pub async fn is_any_held(pool: &Pool) -> Result<bool, sqlx::Error> {
    let statement = sqlx::query!(
        r#"
        SELECT EXISTS (
            SELECT FROM avinode_ingest.leader_leases WHERE starts_with(name, $1) AND held_until > clock_timestamp()
        ) AS "held!"
        "#,
        PREFIX,
    );
    Ok(pool.fetch_one(statement).await?.held)
}

/// The lease of another process, as it was read.
#[derive(Debug)]
struct OtherProcess {
    name: String,
    held_until: DateTime<Utc>,
    has_run_out: bool,
    status: Option<Value>,
}

async fn others(own: &LeaderLease) -> Result<Vec<OtherProcess>, sqlx::Error> {
    let statement = sqlx::query_as!(
        OtherProcess,
        r#"
        SELECT name, held_until, held_until <= clock_timestamp() AS "has_run_out!", status
        FROM avinode_ingest.leader_leases
        WHERE starts_with(name, $1) AND name <> $2
        "#,
        PREFIX,
        &*own.name,
    );
    own.pool.fetch_all(statement).await
}

/// Ends all leases of dead processes, unless they renewed their own since it was read. Their jobs are taken over as from a lease
/// that ran out.
async fn take_over(pool: &Pool, dead: &[OtherProcess]) -> Result<TakenOver, sqlx::Error> {
    let statement = sqlx::query_as!(
        TakenOver,
        r#"
        WITH dead AS (
            DELETE FROM avinode_ingest.leader_leases AS lease
            USING unnest($1::text[], $2::timestamptz[]) AS seen (name, held_until)
            WHERE lease.name = seen.name AND lease.held_until = seen.held_until
            RETURNING lease.holder
        ), leader AS (
            UPDATE avinode_ingest.leader_leases AS lease
            SET held_until = clock_timestamp()
            FROM dead
            WHERE lease.held_until > clock_timestamp() AND starts_with(lease.holder, dead.holder) AND NOT starts_with(lease.name, $3)
        ), expired AS (
            UPDATE avinode_ingest.jobs
            SET due_at = clock_timestamp()
            FROM dead
            WHERE lease_token IS NOT NULL AND due_at > clock_timestamp() AND starts_with(leased_by, dead.holder)
            RETURNING 1
        )
        SELECT (SELECT count(*) FROM dead) AS "processes!", (SELECT count(*) FROM expired) AS "jobs!"
        "#,
        &column(dead, |process| process.name.as_str()) as &[&str],
        &column(dead, |process| process.held_until),
        PREFIX,
    );
    let taken = pool.fetch_one(statement).await?;
    let TakenOver { processes, jobs } = taken;
    if processes > 0 {
        tracing::info!(
            processes,
            jobs,
            "{processes} other processes ended without an orderly shutdown, {jobs} jobs of theirs are taken over"
        );
    }
    Ok(taken)
}

#[cfg(test)]
mod tests;
