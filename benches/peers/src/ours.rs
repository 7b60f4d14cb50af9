//! The queue of this repository, as the workers drive it, with handlers that only finish their jobs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use ingest_postgres::migrator;
use ingest_postgres::transaction::Pool;
use ingest_queue::claim;
use ingest_queue::claim_by_kind::{ClaimByKind, KindHandler};
use ingest_queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use ingest_queue::heartbeat::HeartbeatRegistry;
use ingest_queue::job::JobError;
use ingest_queue::job_kind::JobKind;
use ingest_queue::outcomes::{self, JobOutcome};
use ingest_queue::worker::Worker;
use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tokio_util::sync::CancellationToken;

use crate::{Measurement, Result, until};

/// As by default. Each has a connection of its own; another one renews leases.
const WORKERS: usize = 2;

/// The way in which jobs are finished. Both commit synchronously, which the service does not.
#[derive(Debug, Clone, Copy)]
pub enum Completion {
    /// By one fenced statement.
    OneStatement,
    /// As the service does: in a transaction that locks the jobs first, and could write more.
    InTransaction,
}

/// Finishes its jobs and writes nothing else.
struct Nothing {
    pool: Pool,
    completion: Completion,
}

impl JobHandler for Nothing {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, std::result::Result<UnfinishedJobs, JobError>> {
        async move {
            let outcome = |job: i64| JobOutcome::new(job, "applied", "");
            match self.completion {
                Completion::OneStatement => {
                    outcomes::complete_held(&self.pool, &batch.jobs, |job| outcome(job.id)).await?;
                }
                Completion::InTransaction => {
                    let mut tx = self.pool.begin().await?;
                    let held = claim::lock_held(&mut tx, &batch.jobs).await?;
                    let outcomes: Vec<JobOutcome> = held.into_iter().map(outcome).collect();
                    outcomes::complete(&mut tx, &outcomes).await?;
                    tx.commit().await?;
                }
            }
            Ok(Vec::new())
        }
        .boxed()
    }
}

pub async fn run(measurement: &Measurement, batch_size: i64, completion: Completion) -> Result<Duration> {
    let options: PgConnectOptions = measurement.database_url.parse()?;
    migrator::migrate(&options).await?;
    let database = PgPool::connect_with(options.clone()).await?;
    sqlx::query("INSERT INTO avinode_ingest.jobs (kind) SELECT 'full_event' FROM generate_series(1, $1::bigint)")
        .bind(i64::try_from(measurement.jobs)?)
        .execute(&database)
        .await?;
    sqlx::query("VACUUM (ANALYZE) avinode_ingest.jobs")
        .execute(&database)
        .await?;
    sqlx::query("CHECKPOINT").execute(&database).await?;

    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await?;
    let pool = Pool::from(pool);
    let (shutdown, heartbeats) = (CancellationToken::new(), HeartbeatRegistry::new());
    let mut working = Vec::new();
    let began = Instant::now();
    for number in 1..=WORKERS {
        let own = pool.sibling_by_index(1);
        let handler = KindHandler {
            kind: JobKind::FullEvent,
            batch_size,
            handler: Arc::new(Nothing {
                pool: own.clone(),
                completion,
            }),
        };
        let worker = Arc::new(Worker::new(own, pool.clone(), ClaimByKind::new(vec![handler])));
        let heartbeat = heartbeats.register(format!("worker {number}"), Duration::from_secs(60));
        let shutdown = shutdown.clone();
        working.push(tokio::spawn(async move {
            worker.work(&format!("peer/{number}"), &heartbeat, &shutdown).await
        }));
    }
    let elapsed = until(began, async || {
        let left: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM avinode_ingest.jobs)")
            .fetch_one(&database)
            .await?;
        Ok(!left)
    })
    .await?;
    shutdown.cancel();
    for worker in working {
        worker.await?;
    }
    let done: i64 = sqlx::query_scalar("SELECT count(*) FROM avinode_ingest.outcomes")
        .fetch_one(&database)
        .await?;
    match usize::try_from(done)? == measurement.jobs {
        true => Ok(elapsed),
        false => Err(format!("{done} of {} jobs have an outcome", measurement.jobs).into()),
    }
}
