//! A run and the jobs that it waits for.

use avinode_ingest::jobs::reconcile;
use avinode_ingest::store::trip_lookup::ReconcileScope;
use serde_json::json;

use super::show;
use crate::fetching::setup::{fetch_until_idle, fetching_worker, live};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::fake_avinode::FakeAvinode;

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_its_own_jobs_and_their_follow_ups_only() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    show(&stub);
    stub.show("trips/atrip-2", json!({"id": "atrip-2", "rfqs": []}));
    // Others' work: one that is not there and waited for for half an hour, one that asks for another trip, and one that asked
    // for ours before.
    db.run(
        "INSERT INTO avinode_ingest.jobs (kind, key) VALUES ('fetch_follow_up', 'arfq-9'), ('reconcile', 'atrip-8')",
    )
    .await;
    let which = |trip: &str| ReconcileScope::Trip(trip.to_owned());
    reconcile::enqueue(&db.pool, &which("atrip-1")).await.unwrap();
    let (asked, run) = reconcile::begin_run(&db.pool, &which("atrip-1")).await.unwrap();
    assert_eq!(asked.queued, 0, "it waits already, and that one serves this run too");
    let (_, other) = reconcile::begin_run(&db.pool, &which("atrip-2")).await.unwrap();
    let left = async |run| reconcile::count_live(&db.pool, run).await.unwrap();
    assert_eq!((left(run).await, left(other).await), (1, 1));

    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    eventually(PATIENCE, "neither run has jobs left", async || {
        worker.step("w").await.unwrap();
        equal(left(run).await + left(other).await, 0)
    })
    .await;
    let follow: Vec<_> = live(&db.pool)
        .await
        .into_iter()
        .filter(|it| it.0 == "fetch_follow_up")
        .collect();
    assert_eq!(follow.len(), 1, "it is waited for by others: {follow:?}");
    let keys = async |run| {
        let finished = reconcile::finished(&db.pool, run).await.unwrap();
        let mut keys: Vec<String> = finished.into_iter().filter_map(|one| one.key).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(run).await, ["arfq-1", "asellermsg-1", "asellermsg-2", "atrip-1"]);
    assert_eq!(keys(other).await, ["atrip-2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_that_is_being_fetched_when_a_run_begins_is_fetched_again() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.show("trips/atrip-1", json!({"id": "atrip-1", "rfqs": []}));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    let which = ReconcileScope::Trip("atrip-1".to_owned());
    reconcile::enqueue(&db.pool, &which).await.unwrap();
    stub.hold();
    let stepping = {
        let worker = worker.clone();
        tokio::spawn(async move { worker.step("w").await.unwrap() })
    };
    stub.called(1).await;
    let (asked, run) = reconcile::begin_run(&db.pool, &which).await.unwrap();
    assert_eq!(asked.queued, 1);
    stub.release();
    stepping.await.unwrap();
    assert_eq!(reconcile::count_live(&db.pool, run).await.unwrap(), 1);
    fetch_until_idle(&worker).await;
    assert_eq!(stub.count("trips/atrip-1"), 2);
    assert_eq!(reconcile::finished(&db.pool, run).await.unwrap().len(), 1);
}
