//! Messages whose job died: those that are stored and not applied, and those that were not fetched at all.

use avinode_ingest::jobs::reconcile;
use avinode_ingest::queue::worker::Worker;
use avinode_ingest::store::trip_lookup::ReconcileScope;

use super::show;
use crate::fetching::setup::{fetch_until_idle, fetching_worker, notify, quoted};
use crate::support::cluster::Db;
use crate::support::fake_avinode::{FakeAvinode, Fault};
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::snapshot::dead_jobs;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_job_died_after_its_document_was_stored_is_repaired() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    show(&stub);
    // It names a trip only by its RFQ, which was not there in time.
    stub.fail("rfqs/arfq-1", Fault::of(404));
    notify(&db.pool, &[stub.thin("tripmsgs/asellermsg-1", None)]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    worker.step("w").await.unwrap();
    assert_eq!(stub.count("tripmsgs/asellermsg-1"), 1);
    db.run("DELETE FROM avinode_ingest.jobs").await;
    reconcile::enqueue(&db.pool, &ReconcileScope::Active).await.unwrap();
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 2);
    assert_eq!(stub.count("tripmsgs/asellermsg-1"), 2);
    // An applied message is not fetched again.
    reconcile::enqueue(&db.pool, &ReconcileScope::Active).await.unwrap();
    fetch_until_idle(&worker).await;
    assert_eq!(stub.count("tripmsgs/asellermsg-1"), 2);
}

/// Reconciles the active trips until nothing is left to do.
async fn reconcile_active(db: &Db, worker: &Worker) {
    reconcile::enqueue(&db.pool, &ReconcileScope::Active).await.unwrap();
    fetch_until_idle(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_whose_reconcile_job_died_is_fetched_by_later_runs_and_leaves_one_dead_letter() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    show(&stub);
    // The document is another's.
    stub.show(
        "tripmsgs/asellermsg-2",
        quoted("asellermsg-9", "aquote-2", Some("arfq-1"), 20_000),
    );
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for run in 1..=3 {
        reconcile_active(&db, &worker).await;
        assert_eq!(
            (stub.count("tripmsgs/asellermsg-2"), dead_jobs(&db.pool).await),
            (run, 1)
        );
    }
    assert_eq!(quote_count(&db.pool, session).await, 1);
    show(&stub);
    reconcile_active(&db, &worker).await;
    assert_eq!(
        (
            quote_count(&db.pool, session).await,
            stub.count("tripmsgs/asellermsg-2")
        ),
        (2, 4)
    );
    // The dead letter stays for the admin, and is served.
    reconcile_active(&db, &worker).await;
    assert_eq!((stub.count("tripmsgs/asellermsg-2"), dead_jobs(&db.pool).await), (4, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_message_is_fetched_again_if_its_newest_document_was_not_applied_or_a_job_of_it_died_since() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    show(&stub);
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    reconcile_active(&db, &worker).await;
    let message = "tripmsgs/asellermsg-1";
    assert_eq!(stub.count(message), 1);
    db.run("UPDATE avinode_ingest.documents SET applied = false WHERE resource_id = 'asellermsg-1'")
        .await;
    reconcile_active(&db, &worker).await;
    assert_eq!(stub.count(message), 2);
    db.run(
        "INSERT INTO avinode_ingest.dead_jobs (id, kind, key, created_at, attempts, crashes, reason, history)
         VALUES (1000000, 'fetch_notified', 'asellermsg-1', clock_timestamp(), 400, 0, 'gave up', '{}')",
    )
    .await;
    for _ in 0..2 {
        reconcile_active(&db, &worker).await;
        assert_eq!(stub.count(message), 3, "once");
    }
}
