//! A process that has lost what it is for ends, so that whoever watches it starts another: one that looks alive would keep
//! or do nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use avinode_ingest::service::{ServiceSettings, ShutdownSummary};
use sqlx::postgres::PgPoolOptions;

use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::service::{Running, keep};

async fn end(running: Running) -> ShutdownSummary {
    tokio::time::timeout(Duration::from_secs(60), running.ended())
        .await
        .expect("the process ends by itself")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_ends_by_itself_ends_the_process() {
    let db = Db::new().await;
    keep(
        &db.pool,
        &[quote("evt-1", "atrip-1", "arfq-1", "q1", 0, "10000", "USD")],
        base(),
    )
    .await;
    // The configuration refuses this. A lease of no length cannot be kept up: the worker panics at its first job.
    let settings = ServiceSettings {
        lease: Duration::ZERO,
        workers: 1,
        ..ServiceSettings::default()
    };
    assert_eq!(end(Running::start(&db.pool, settings).await).await.stopped, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_commit_that_ends_by_itself_ends_the_process() {
    let db = Db::new().await;
    let broken = Arc::new(AtomicBool::new(false));
    let (when_made, when_used) = (broken.clone(), broken.clone());
    let holds = |broken: &AtomicBool| assert!(!broken.load(Ordering::SeqCst), "as a test wants it");
    // Whoever takes a connection panics once it is broken, be it a new one or one that was used before.
    let pool = PgPoolOptions::new()
        .after_connect(move |_, _| {
            holds(&when_made);
            Box::pin(async { Ok(()) })
        })
        .before_acquire(move |_, _| {
            holds(&when_used);
            Box::pin(async { Ok(true) })
        })
        .connect_lazy_with(db.options.clone());
    let settings = ServiceSettings {
        workers: 0,
        ..ServiceSettings::default()
    };
    let running = Running::start_on(pool.into(), settings).await;
    let body = quote("evt-1", "atrip-1", "arfq-1", "q1", 0, "10000", "USD").to_string();
    assert_eq!(running.post(body.as_bytes()).await.0, 200);
    broken.store(true, Ordering::SeqCst);
    assert_eq!(
        running.post(body.as_bytes()).await.0,
        503,
        "what was not kept is not answered 200"
    );
    assert_eq!(end(running).await.stopped, 0);
}
