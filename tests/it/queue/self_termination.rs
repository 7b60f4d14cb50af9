//! A process that has lost a required task terminates, so that its supervisor starts another one: it would look alive
//! otherwise, and store or apply nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use avinode_ingest::service::{ServiceSettings, ShutdownSummary};

use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::service::RunningService;

async fn end(running: RunningService) -> ShutdownSummary {
    tokio::time::timeout(Duration::from_secs(60), running.ended())
        .await
        .expect("the process terminates")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_panics_terminates_the_process() {
    let db = Db::new().await;
    store_deliveries(
        &db.pool,
        &[quote("evt-1", "atrip-1", "arfq-1", "q1", 0, "10000", "USD")],
        base(),
    )
    .await;
    // The configuration rejects this. A lease of zero length cannot be renewed: the worker panics at its first job.
    let settings = ServiceSettings {
        lease: Duration::ZERO,
        workers: 1,
        ..ServiceSettings::default()
    };
    assert_eq!(end(RunningService::start(&db.pool, settings).await).await.stopped, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_commit_that_panics_terminates_the_process() {
    let db = Db::new().await;
    let broken = Arc::new(AtomicBool::new(false));
    let when_acquired = broken.clone();
    // Acquiring a connection panics once `broken` is set.
    let pool = db
        .pool
        .on_acquire(move || assert!(!when_acquired.load(Ordering::SeqCst), "a panic of the test"));
    let settings = ServiceSettings {
        workers: 0,
        ..ServiceSettings::default()
    };
    let running = RunningService::start_on(pool, settings).await;
    let body = quote("evt-1", "atrip-1", "arfq-1", "q1", 0, "10000", "USD").to_string();
    assert_eq!(running.post(body.as_bytes()).await.0, 200);
    broken.store(true, Ordering::SeqCst);
    assert_eq!(
        running.post(body.as_bytes()).await.0,
        503,
        "a delivery that was not stored is not answered 200"
    );
    assert_eq!(end(running).await.stopped, 0);
}
