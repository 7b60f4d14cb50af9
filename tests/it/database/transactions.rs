//! A transaction is not left open on its connection when its caller is dropped.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use avinode_ingest::postgres::{pool, transaction};
use avinode_ingest::queue::claim_by_kind::{ClaimByKind, KindHandler};
use avinode_ingest::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use avinode_ingest::queue::job::JobError;
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::worker::Worker;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use serde_json::json;

use crate::support::bodies::base;
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::{equal, eventually};

/// About the time in which Postgres answers a BEGIN.
const MOMENT: Duration = Duration::from_micros(40);

/// Opens connections like `serve`: without a ping before each use, so that BEGIN is written immediately.
async fn connected(db: &Db, connections: u32) -> transaction::Pool {
    let pool = pool::pool(db.options.clone(), connections, "serve", Duration::from_secs(30));
    let all = join_all((0..connections).map(|_| pool.begin())).await;
    for begun in all {
        begun.unwrap().commit().await.unwrap();
    }
    pool
}

/// A transaction left open would include the next statements on its connection: a delivery that was answered 200 would be lost
/// when it is rolled back.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_rolled_back_if_its_caller_is_dropped_during_begin() {
    let db = Db::new().await;
    for service in [connected(&db, 1).await, db.pool.service()] {
        let mut dropped = 0;
        for polls in (1..12).cycle().take(66) {
            {
                let begun = service.begin();
                tokio::pin!(begun);
                let mut polled = (0..polls).map(|_| {
                    let ready = begun.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
                    // Real time, because the answer comes from another process: the drop must fall between BEGIN and its answer.
                    std::thread::sleep(MOMENT);
                    ready
                });
                dropped += usize::from(!polled.any(|ready| ready));
            }
            // Checked before the next transaction begins, which would end an open one.
            assert_none_left_open(&db, &format!("no server has an open transaction, after {polls} polls")).await;
        }
        assert!(dropped > 5, "only {dropped} were dropped");
    }
}

/// Fails as a batch. A single job takes a varying time, so that the renewal of its lease is dropped at any point.
struct ShortHandler;

impl JobHandler for ShortHandler {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            let [job] = &batch.jobs[..] else {
                return Err(JobError::retry("not together"));
            };
            for _ in 0..job.id % 24 {
                std::thread::sleep(MOMENT);
                tokio::task::yield_now().await;
            }
            Ok(vec![(job.id, JobError::fail("enough"))])
        }
        .boxed()
    }
}

/// One per job of a batch: each is used for one job's lease before the first is used again, which would end its open transaction.
const CONNECTIONS: u32 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn the_renewal_of_a_lease_that_is_dropped_with_its_job_leaves_no_transaction_open() {
    let db = Db::new().await;
    let claimer = ClaimByKind::new(vec![KindHandler {
        kind: JobKind::FullEvent,
        batch_size: i64::from(CONNECTIONS),
        handler: Arc::new(ShortHandler),
    }]);
    let leases = connected(&db, CONNECTIONS).await;
    let worker = Worker::new(db.pool.service(), leases, claimer);
    for round in 0..20 {
        let bodies: Vec<_> = (0..CONNECTIONS).map(|_| json!({"event": "short"})).collect();
        store_deliveries(&db.pool, &bodies, base()).await;
        db.run("UPDATE avinode_ingest.jobs SET kind = 'full_event'").await;
        let step = worker.step("a worker").await.unwrap();
        assert_eq!((step.jobs, step.settled.dead), (bodies.len(), bodies.len() as u64));
        assert_none_left_open(&db, &format!("no server has an open transaction, in round {round}")).await;
    }
}

/// Asserts that no server process stays in a transaction.
async fn assert_none_left_open(db: &Db, round: &str) {
    let open = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'";
    // A BEGIN that was sent and not read yet is not listed yet, and has no other sign.
    tokio::time::sleep(Duration::from_millis(2)).await;
    // A BEGIN in progress is listed too, and is gone soon.
    eventually(Duration::from_secs(2), round, async || {
        let open: Vec<i32> = sqlx::query_scalar(open).fetch_all(&db.pool).await.unwrap();
        equal(open, vec![])
    })
    .await;
}
