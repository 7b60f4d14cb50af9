//! What the service relies on in its way to the database: a transaction that nobody waits for any more is not left open.

use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::Duration;

use avinode_ingest::domain::job_kind::JobKind;
use avinode_ingest::postgres::{pool, transaction};
use avinode_ingest::queue::claim_by_kind::{ClaimByKind, KindHandler};
use avinode_ingest::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use avinode_ingest::queue::job::JobError;
use avinode_ingest::queue::worker::Worker;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use serde_json::json;

use crate::support::bodies::base;
use crate::support::cluster::Db;
use crate::support::service::keep;

/// About as long as Postgres takes to answer a BEGIN.
const MOMENT: Duration = Duration::from_micros(40);

/// Connections as `serve` makes them: not asked whether they live before each use, so that a BEGIN is written at once.
async fn connected(db: &Db, connections: u32) -> transaction::Pool {
    let pool = pool::pool(db.options.clone(), connections, "serve", Duration::from_secs(30));
    let all = join_all((0..connections).map(|_| pool.begin())).await;
    for begun in all {
        begun.unwrap().commit().await.unwrap();
    }
    pool
}

/// A connection with a transaction that nobody ends would make the next statements part of it: a delivery that was
/// answered 200 would go when it is rolled back.
#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_whose_beginning_is_given_up_is_rolled_back() {
    let db = Db::new().await;
    for service in [connected(&db, 1).await, db.pool.service()] {
        let mut given_up = 0;
        for polls in (1..12).cycle().take(66) {
            {
                let begun = service.begin();
                tokio::pin!(begun);
                let mut polled = (0..polls).map(|_| {
                    let ready = begun.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
                    // Real time: the answer comes from another process, and the drop is to fall between the two.
                    std::thread::sleep(MOMENT);
                    ready
                });
                given_up += usize::from(!polled.any(|ready| ready));
            }
            // Looked at before the next one begins, which would end what is open.
            let open = left_open(&db).await;
            assert_eq!(
                open,
                [] as [i32; 0],
                "servers in a transaction that nobody ends, after {polls} polls"
            );
        }
        assert!(given_up > 5, "only {given_up} were given up");
    }
}

/// Fails as a batch; a single job takes so many moments that the renewal of its lease is dropped anywhere on its way.
struct Short;

impl JobHandler for Short {
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

/// As many as a batch has jobs: each of them is used for one job's lease before the first has its turn again, which would
/// end what it left open.
const CONNECTIONS: u32 = 8;

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_renewal_that_is_dropped_with_its_job_leaves_no_transaction_open() {
    let db = Db::new().await;
    let claimer = ClaimByKind::new(vec![KindHandler {
        kind: JobKind::FullEvent,
        batch_size: i64::from(CONNECTIONS),
        handler: Arc::new(Short),
    }]);
    let leases = connected(&db, CONNECTIONS).await;
    let shift = Worker::new(db.pool.service(), leases, claimer);
    for round in 0..20 {
        let bodies: Vec<_> = (0..CONNECTIONS).map(|_| json!({"event": "short"})).collect();
        keep(&db.pool, &bodies, base()).await;
        sqlx::query("UPDATE avinode_ingest.jobs SET kind = 'full_event'")
            .execute(&db.pool)
            .await
            .unwrap();
        let step = shift.step("a worker").await.unwrap();
        assert_eq!((step.jobs, step.settled.dead), (bodies.len(), bodies.len() as u64));
        let open = left_open(&db).await;
        assert_eq!(
            open,
            [] as [i32; 0],
            "servers in a transaction that nobody ends, in round {round}"
        );
    }
}

/// Servers that stay in a transaction.
async fn left_open(db: &Db) -> Vec<i32> {
    let open = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'";
    for _ in 0..100 {
        // A beginning that is under way shows as well, and has ended the next time.
        tokio::time::sleep(Duration::from_millis(2)).await;
        let open: Vec<i32> = sqlx::query_scalar(open).fetch_all(&db.pool).await.unwrap();
        if open.is_empty() {
            return open;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    sqlx::query_scalar(open).fetch_all(&db.pool).await.unwrap()
}
