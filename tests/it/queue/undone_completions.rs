//! Jobs under leases of a living worker that does not serve them. A crash of Postgres leaves them so: it undoes the asynchronous
//! commit that finished a job, but not the claim before it, and the worker takes the job for done.

use std::sync::Arc;
use std::time::Duration;

use avinode_ingest::heartbeat::HeartbeatRegistry;
use avinode_ingest::postgres::transaction;
use avinode_ingest::queue::claim_by_kind::{ClaimByKind, KindHandler};
use avinode_ingest::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use avinode_ingest::queue::job::JobError;
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::worker::Worker;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::sql::count;
use crate::support::worker::finish;

const NAME: &str = "a worker";

/// Finishes its jobs; those with the key `slow` once it is let.
struct Finish {
    pool: transaction::Pool,
    slow: Semaphore,
}

impl JobHandler for Finish {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            if batch.jobs.iter().any(|job| job.key.as_deref() == Some("slow")) {
                self.slow.acquire().await.unwrap().forget();
            }
            finish(&self.pool, batch).await
        }
        .boxed()
    }
}

struct Working {
    db: Db,
    handler: Arc<Finish>,
    stop: CancellationToken,
    worker: tokio::task::JoinHandle<()>,
}

impl Working {
    async fn start() -> Self {
        let db = Db::new().await;
        let handler = Arc::new(Finish {
            pool: db.pool.service(),
            slow: Semaphore::new(0),
        });
        let claimer = ClaimByKind::new(vec![KindHandler {
            kind: JobKind::FullEvent,
            batch_size: 10,
            handler: handler.clone(),
        }]);
        let worker = Arc::new(Worker {
            concurrency: 2,
            poll: Duration::from_millis(100),
            ..Worker::new(db.pool.service(), db.pool.service(), claimer)
        });
        let stop = CancellationToken::new();
        let (heartbeat, stopped) = (HeartbeatRegistry::new().register(NAME, PATIENCE), stop.clone());
        let worker = tokio::spawn(async move { worker.work(NAME, &heartbeat, &stopped).await });
        Self {
            db,
            handler,
            stop,
            worker,
        }
    }

    /// Inserts a job as a crash leaves it that undid its completion.
    async fn insert_undone(&self) {
        self.db
            .run(
                "INSERT INTO avinode_ingest.jobs (kind, attempts, due_at, lease_token, leased_by)
                 VALUES ('full_event', 1, clock_timestamp() + interval '60 seconds',
                    nextval('avinode_ingest.lease_tokens'), 'a worker')",
            )
            .await;
    }

    async fn finished(&self, jobs: i64) {
        // Well before the lease runs out.
        eventually(
            PATIENCE.min(Duration::from_secs(30)),
            "the job is finished",
            async || {
                equal(
                    count(&self.db.pool, "SELECT count(*) FROM avinode_ingest.outcomes").await,
                    jobs,
                )
            },
        )
        .await;
    }

    async fn end(self) {
        self.stop.cancel();
        self.worker.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_worker_takes_over_what_a_crash_left_under_its_leases() {
    let working = Working::start().await;
    working.insert_undone().await;
    working.finished(1).await;
    working.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_worker_takes_over_what_it_does_not_serve_and_keeps_what_it_serves() {
    let working = Working::start().await;
    working
        .db
        .run("INSERT INTO avinode_ingest.jobs (kind, key) VALUES ('full_event', 'slow')")
        .await;
    let running = "SELECT count(*) FROM avinode_ingest.jobs WHERE lease_token IS NOT NULL";
    eventually(PATIENCE, "the slow job runs", async || {
        equal(count(&working.db.pool, running).await, 1)
    })
    .await;
    working.insert_undone().await;
    working.finished(1).await;
    let kept = "SELECT count(*) FROM avinode_ingest.jobs
        WHERE key = 'slow' AND NOT isolated AND attempts = 1 AND due_at > clock_timestamp()";
    assert_eq!(count(&working.db.pool, kept).await, 1, "the slow job keeps its lease");
    working.handler.slow.add_permits(1);
    working.finished(2).await;
    working.end().await;
}
