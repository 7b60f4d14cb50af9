//! A worker that serves several claims at the same time, of which one cannot be settled.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use avinode_ingest::heartbeat::HeartbeatRegistry;
use avinode_ingest::postgres::transaction;
use avinode_ingest::queue::claim::{self, ClaimFuture, Claimer};
use avinode_ingest::queue::claim_by_kind::{ClaimByKind, KindHandler};
use avinode_ingest::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use avinode_ingest::queue::job::JobError;
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::outcomes::{self, JobOutcome};
use avinode_ingest::queue::worker::Worker;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::support::PATIENCE;
use crate::support::bodies::base;
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::{at_least, equal, eventually};
use crate::support::sql::count;

/// Fails the first attempt of the first job, and holds the others until they are released.
struct Handler {
    first: i64,
    attempts: AtomicUsize,
    released: Semaphore,
    pool: transaction::Pool,
}

impl JobHandler for Handler {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            let job = &batch.jobs[0];
            if job.id != self.first {
                drop(self.released.acquire().await);
            } else if self.attempts.fetch_add(1, Ordering::SeqCst) == 0 {
                return Ok(vec![(job.id, JobError::retry("as a test wants it"))]);
            }
            let mut tx = self.pool.begin().await?;
            let held = claim::lock_held(&mut tx, &batch.jobs).await?;
            let nothing: Vec<_> = held.iter().map(|job| JobOutcome::new(*job, "nothing", "")).collect();
            outcomes::complete(&mut tx, &nothing).await?;
            tx.commit().await?;
            Ok(vec![])
        }
        .boxed()
    }
}

/// Counts the claims.
struct CountingClaimer {
    claimer: ClaimByKind,
    claims: Arc<AtomicUsize>,
}

impl Claimer for CountingClaimer {
    fn claim<'a>(
        &'a self,
        pool: &'a transaction::Pool,
        worker: &'a str,
        room: usize,
        lease: Duration,
    ) -> ClaimFuture<'a> {
        self.claims.fetch_add(1, Ordering::SeqCst);
        self.claimer.claim(pool, worker, room, lease)
    }
}

/// Postgres refuses the statement that would put the first job back, once; the sequence counts the refusals.
const REFUSE_ONCE: &str = "
    CREATE SEQUENCE public.refusals;
    CREATE FUNCTION public.refuse_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('public.refusals') = 1 THEN
            RAISE EXCEPTION 'as a test wants it';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER refuse_once BEFORE UPDATE ON avinode_ingest.jobs
    FOR EACH ROW WHEN (OLD.lease_token IS NOT NULL AND NEW.lease_token IS NULL) EXECUTE FUNCTION public.refuse_once();";

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_could_not_be_settled_is_taken_over_although_another_claim_succeeded_meanwhile() {
    let db = Db::new().await;
    store_deliveries(&db.pool, &[json!({"event": "a"}), json!({"event": "b"})], base()).await;
    db.run("UPDATE avinode_ingest.jobs SET kind = 'full_event'").await;
    sqlx::raw_sql(REFUSE_ONCE).execute(&db.pool).await.unwrap();
    let handler = Arc::new(Handler {
        first: sqlx::query_scalar("SELECT min(id) FROM avinode_ingest.jobs")
            .fetch_one(&db.pool)
            .await
            .unwrap(),
        attempts: AtomicUsize::new(0),
        released: Semaphore::new(0),
        pool: db.pool.service(),
    });
    let claims = Arc::new(AtomicUsize::new(0));
    let claimer = CountingClaimer {
        claimer: ClaimByKind::new(vec![KindHandler {
            kind: JobKind::FullEvent,
            batch_size: 1,
            handler: handler.clone(),
        }]),
        claims: claims.clone(),
    };
    let worker = Arc::new(Worker {
        concurrency: 2,
        // The job would wait for the end of its lease.
        lease: PATIENCE * 10,
        poll: Duration::from_millis(10),
        ..Worker::new(db.pool.service(), db.pool.service(), claimer)
    });
    let shutdown = CancellationToken::new();
    let heartbeat = HeartbeatRegistry::new().register("a worker", PATIENCE);
    let stop = shutdown.clone();
    let working = tokio::spawn(async move { worker.work("a worker", &heartbeat, &stop).await });
    let refusals = "SELECT count(*) FROM public.refusals WHERE is_called";
    eventually(PATIENCE, "the first job could not be put back", async || {
        equal(count(&db.pool, refusals).await, 1)
    })
    .await;
    // The worker goes on with the other claim, and looks for more.
    let so_far = claims.load(Ordering::SeqCst);
    eventually(PATIENCE, "it claims again", async || {
        at_least(claims.load(Ordering::SeqCst), so_far + 2)
    })
    .await;
    handler.released.add_permits(1);
    eventually(PATIENCE, "both jobs are finished", async || {
        equal(count(&db.pool, "SELECT count(*) FROM avinode_ingest.jobs").await, 0)
    })
    .await;
    assert_eq!(handler.attempts.load(Ordering::SeqCst), 2);
    shutdown.cancel();
    working.await.unwrap();
}
