//! Workers that serve keys, taken over or slow.

use std::sync::Arc;
use std::time::Duration;

use avinode_ingest::heartbeat::HeartbeatRegistry;
use avinode_ingest::queue::claim::Claimer;
use avinode_ingest::queue::claim_by_key::ClaimByKey;
use avinode_ingest::queue::handler::{JobBatch, JobHandler, UnfinishedJobs};
use avinode_ingest::queue::job::{ClaimedJob, JobError};
use avinode_ingest::queue::job_kind::JobKind::FetchNotified;
use avinode_ingest::queue::release;
use avinode_ingest::queue::worker::Worker;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::recording_handler::RecordingHandler;
use super::{claimer, keys, limiter, permit, queue};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::pool::Pool;
use crate::support::snapshot::dead_reasons;

fn worker(pool: &Pool, claimer: ClaimByKey) -> Worker {
    Worker {
        concurrency: 8,
        poll: Duration::from_millis(20),
        ..Worker::new(pool.service(), pool.service(), claimer)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_taken_over_is_served_whole_and_while_nothing_else_is() {
    let db = Db::new().await;
    for _ in 0..50 {
        queue(&db.pool, &[(FetchNotified, "a", 0.0)]).await;
    }
    queue(&db.pool, &[(FetchNotified, "b", 0.0)]).await;
    let handler = RecordingHandler::new(&db.pool);
    let claimer = claimer(&db.pool, &limiter(10), handler.clone()).await;
    let lost = claimer.claim(&db.pool, "died", 1, Duration::ZERO).await.unwrap();
    assert_eq!(keys(&lost), [("a", 50)]);
    drop(lost);
    let step = worker(&db.pool, claimer).step("w").await.unwrap();
    assert_eq!((step.batches, step.jobs), (2, 51));
    assert_eq!(
        *handler.served.lock().unwrap(),
        [("b".to_owned(), 1), ("a".to_owned(), 50)]
    );
    assert_eq!(*handler.overlaps.lock().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_worker_serves_a_key_that_was_taken_over_while_nothing_else_is() {
    let db = Db::new().await;
    let handler = RecordingHandler::new(&db.pool);
    let claimer = claimer(&db.pool, &limiter(100), handler.clone()).await;
    for n in 0..3 {
        queue(&db.pool, &[(FetchNotified, &format!("lost{n}"), 0.0)]).await;
    }
    let lost = claimer.claim(&db.pool, "died", 3, Duration::ZERO).await.unwrap();
    assert_eq!(lost.batches.len(), 3);
    drop(lost);
    for n in 0..20 {
        queue(&db.pool, &[(FetchNotified, &format!("k{n}"), 0.0)]).await;
    }
    let worker = Arc::new(worker(&db.pool, claimer));
    let shutdown = CancellationToken::new();
    let heartbeat = HeartbeatRegistry::new().register("a worker", Duration::from_secs(60));
    let (running, stop) = (worker.clone(), shutdown.clone());
    let running = tokio::spawn(async move { running.work("w", &heartbeat, &stop).await });
    eventually(PATIENCE, "all keys are served", async || {
        equal(handler.served.lock().unwrap().len(), 23)
    })
    .await;
    shutdown.cancel();
    running.await.unwrap();
    assert_eq!(*handler.overlaps.lock().unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_crash_while_isolated_counts_towards_death() {
    let db = Db::new().await;
    let handler = RecordingHandler::new(&db.pool);
    let claimer = claimer(&db.pool, &limiter(50), handler.clone()).await;
    queue(
        &db.pool,
        &[(FetchNotified, "deadly", 0.0), (FetchNotified, "beside", 0.0)],
    )
    .await;
    let lose = || async { claimer.claim(&db.pool, "died", 8, Duration::ZERO).await.unwrap() };
    assert_eq!(lose().await.batches.len(), 2);
    for crashes in 0..3 {
        let claimed = lose().await;
        let deadly: Vec<&ClaimedJob> = claimed.jobs().collect();
        assert!(deadly.iter().all(|job| job.isolated));
        let deadly = deadly.iter().find(|job| job.key.as_deref() == Some("deadly")).unwrap();
        assert_eq!(deadly.crashes, crashes);
        assert!(
            release::begin_isolated(&db.pool, std::slice::from_ref(*deadly), true)
                .await
                .unwrap()
        );
    }
    let step = worker(&db.pool, claimer).step("w").await.unwrap();
    assert_eq!((step.batches, step.settled.dead), (2, 1));
    assert_eq!(*handler.served.lock().unwrap(), [("beside".to_owned(), 1)]);
    let dead = dead_reasons(&db.pool).await;
    assert_eq!(dead, ["its worker died 3 times while it ran isolated"]);
}

/// Calls for longer than its lease allows work for.
struct Slow;

impl JobHandler for Slow {
    fn perform<'a>(&'a self, batch: &'a JobBatch) -> BoxFuture<'a, Result<UnfinishedJobs, JobError>> {
        async move {
            let call = permit(batch).start().unwrap();
            // The call is slower than its lease allows: there is no condition to wait for.
            tokio::time::sleep(Duration::from_millis(1500)).await;
            drop(call);
            let failed = |job: &ClaimedJob| (job.id, JobError::fail("its call was awaited"));
            Ok(batch.jobs.iter().map(failed).collect())
        }
        .boxed()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_longer_than_the_work_limit_of_the_leases_is_awaited() {
    let db = Db::new().await;
    queue(&db.pool, &[(FetchNotified, "a", 0.0)]).await;
    let claimer = claimer(&db.pool, &limiter(10), Arc::new(Slow)).await;
    let worker = Worker {
        lease: Duration::from_millis(200),
        min_work_limit: Duration::from_secs(10),
        ..worker(&db.pool, claimer)
    };
    worker.step("w").await.unwrap();
    let dead = dead_reasons(&db.pool).await;
    assert_eq!(dead, ["its call was awaited"]);
}
