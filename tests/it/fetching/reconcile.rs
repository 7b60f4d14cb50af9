//! Reconciling finds what missed notifications left out.

use std::time::Duration;

use avinode_ingest::jobs::{maintenance, reconcile};
use avinode_ingest::store::trip_lookup::ReconcileScope;
use serde_json::json;

use super::setup::{fetch_until_idle, fetching_worker, live, notify, now, price, quoted, rfq};
use crate::support::cluster::Db;
use crate::support::fake_avinode::FakeAvinode;
use crate::support::pool::Pool;
use crate::support::sessions::{SessionBuilder, quote_count};

/// A trip with an RFQ and two sellers' messages; only the first was notified of.
fn show(stub: &FakeAvinode) {
    let mut trip = json!({"id": "atrip-1", "rfqs": [{"id": "arfq-1"}]});
    trip["links"] = json!({"tripmsgs": [{"id": "asellermsg-1"}, {"id": "asellermsg-2"}]});
    stub.show("trips/atrip-1", trip);
    stub.show("rfqs/arfq-1", rfq("arfq-1", "atrip-1"));
    stub.show(
        "tripmsgs/asellermsg-1",
        quoted("asellermsg-1", "aquote-1", Some("arfq-1"), 10_000),
    );
    // Without a stamp: when it happened nobody knows.
    let mut second = quoted("asellermsg-2", "aquote-2", Some("arfq-1"), 20_000);
    second["sellerQuote"].as_object_mut().unwrap().remove("createdOn");
    stub.show("tripmsgs/asellermsg-2", second);
}

async fn activity(pool: &Pool, session: uuid::Uuid) -> chrono::DateTime<chrono::Utc> {
    sqlx::query_scalar("SELECT last_activity_at FROM public.chat_sessions WHERE id = $1")
        .bind(session)
        .fetch_one(pool)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn reconciling_a_trip_repairs_what_missed_webhooks_left_out_and_fetches_nothing_twice() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    show(&stub);
    notify(&db.pool, &[stub.thin("tripmsgs/asellermsg-1", Some("atrip-1"))]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);

    let (asked, run) = reconcile::begin_run(&db.pool, &ReconcileScope::Trip("atrip-1".to_owned()))
        .await
        .unwrap();
    assert_eq!((asked.targets.len(), asked.queued), (1, 2));
    // A trip need not list all that is known of it.
    assert_eq!(asked.targets[0].resources, ["atrip-1", "arfq-1"]);
    let before = activity(&db.pool, session).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 2);
    let called = |resource: &str| stub.count(resource);
    assert_eq!(
        [
            "trips/atrip-1",
            "rfqs/arfq-1",
            "tripmsgs/asellermsg-1",
            "tripmsgs/asellermsg-2"
        ]
        .map(called),
        [1, 1, 1, 1]
    );
    assert_eq!(activity(&db.pool, session).await, before, "asking is no activity");
    assert_eq!(reconcile::count_live(&db.pool, run).await.unwrap(), 0);
    let finished = reconcile::finished(&db.pool, run).await.unwrap();
    let mut keys: Vec<_> = finished.iter().filter_map(|one| one.key.as_deref()).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        ["arfq-1", "asellermsg-2", "atrip-1"],
        "what followed is told as well"
    );
    assert!(
        finished.iter().any(|one| one
            .detail
            .as_ref()
            .is_some_and(|it| it.contains("quote_received aquote-2"))),
        "{finished:?}"
    );

    // Once more: the trip and its RFQ are looked at, and nothing is new.
    reconcile::enqueue(&db.pool, &ReconcileScope::Active).await.unwrap();
    fetch_until_idle(&worker).await;
    assert_eq!(
        [
            "trips/atrip-1",
            "rfqs/arfq-1",
            "tripmsgs/asellermsg-1",
            "tripmsgs/asellermsg-2"
        ]
        .map(called),
        [2, 2, 1, 1]
    );
    assert_eq!(quote_count(&db.pool, session).await, 2);
}

/// A sender's timestamp in the future counts as the time of the fetch.
#[tokio::test(flavor = "multi_thread")]
async fn a_polled_fact_is_not_later_than_its_fetch() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    stub.show("trips/atrip-1", json!({"id": "atrip-1", "rfqs": [{"id": "arfq-1"}]}));
    let mut rfq = rfq("arfq-1", "atrip-1");
    rfq["sellerLift"] = json!([{"sourcingStatus": 2, "latestQuote": {"id": "aquote-1", "createdOn": "2031-01-31T10:00:00Z",
        "sellerPrice": {"price": 10_000, "currency": "USD"}}}]);
    stub.show("rfqs/arfq-1", rfq);
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    let before = now();
    reconcile::enqueue(&db.pool, &ReconcileScope::Active).await.unwrap();
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    let activity = activity(&db.pool, session).await;
    assert!((before..=now()).contains(&activity), "{activity}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_whose_message_leaves_the_price_out_has_it_after_reconciling() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    show(&stub);
    let mut message = quoted("asellermsg-2", "aquote-2", Some("arfq-1"), 20_000);
    message["sellerQuote"].as_object_mut().unwrap().remove("sellerPrice");
    stub.show("tripmsgs/asellermsg-2", message);
    let amount = json!({"price": 20_000, "currency": "USD"});
    stub.show("quotes/aquote-2", json!({"id": "aquote-2", "sellerPrice": amount}));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    reconcile::enqueue(&db.pool, &ReconcileScope::Active).await.unwrap();
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 2);
    assert_eq!(price(&db.pool, "aquote-2").await.as_deref(), Some("20000"));
    assert_eq!(live(&db.pool).await, [], "and it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_knows_a_short_id_and_an_rfq_is_reached_by_its_rfq() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").rfq("arfq-1").insert(&db.pool).await;
    stub.show(
        "rfqs/arfq-1",
        json!({
            "id": "arfq-1", "tripId": "A1B2C3",
            "sellerLift": [{"id": "alift-1", "sourcingStatus": 2, "sourcingDisplayStatus": "Accepted",
                "latestQuote": {"id": "aquote-1", "sellerPrice": {"price": 10_000, "currency": "USD"}}}],
        }),
    );
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    let asked = reconcile::enqueue(&db.pool, &ReconcileScope::Active).await.unwrap();
    assert_eq!(asked.targets[0].resources, ["arfq-1"]);
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_sessions_of_the_scope_are_reconciled() {
    let db = Db::new().await;
    let active = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    SessionBuilder::of_trip("atrip-2")
        .status("paused")
        .insert(&db.pool)
        .await;
    SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let asked = reconcile::enqueue(&db.pool, &ReconcileScope::Active).await.unwrap();
    let reached: Vec<_> = asked.targets.iter().filter(|it| !it.resources.is_empty()).collect();
    assert_eq!((asked.targets.len(), asked.queued), (2, 1));
    assert_eq!(
        (reached[0].session, reached[0].trip.as_deref()),
        (Some(active), Some("atrip-1"))
    );
    let ever = "2020-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(
        reconcile::enqueue(&db.pool, &ReconcileScope::Since(ever))
            .await
            .unwrap()
            .targets
            .len(),
        3
    );
    let never = "2999-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(
        reconcile::enqueue(&db.pool, &ReconcileScope::Since(never))
            .await
            .unwrap()
            .targets
            .len(),
        0
    );
    let unknown = reconcile::enqueue(&db.pool, &ReconcileScope::Trip("atrip-9".to_owned()))
        .await
        .unwrap();
    assert_eq!(
        (unknown.targets.len(), unknown.queued),
        (1, 1),
        "no session need have it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn on_a_schedule_one_process_reconciles_the_active_trips_once_per_interval() {
    let db = Db::new().await;
    SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    for process in ["one", "another", "one"] {
        maintenance::reconcile(&db.pool, process, Duration::from_secs(3600))
            .await
            .unwrap();
    }
    assert_eq!(live(&db.pool).await.len(), 1);
    db.run("DELETE FROM avinode_ingest.jobs").await;
    maintenance::reconcile(&db.pool, "one", Duration::from_secs(3600))
        .await
        .unwrap();
    assert_eq!(live(&db.pool).await.len(), 0, "not before its time");
    db.run("UPDATE avinode_ingest.leader_leases SET done_at = done_at - interval '1 hour'")
        .await;
    maintenance::reconcile(&db.pool, "another", Duration::from_secs(3600))
        .await
        .unwrap();
    assert_eq!(live(&db.pool).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_reconcile_interval_takes_effect_immediately() {
    let db = Db::new().await;
    SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    let (month, hour) = (Duration::from_secs(30 * 24 * 3600), Duration::from_secs(3600));
    let turn = async |every| {
        maintenance::reconcile(&db.pool, "one", every).await.unwrap();
        let queued = "DELETE FROM avinode_ingest.jobs WHERE kind = 'reconcile'";
        let deleted = sqlx::query(queued).execute(&db.pool).await;
        deleted.unwrap().rows_affected()
    };
    assert_eq!(turn(month).await, 1);
    db.run("UPDATE avinode_ingest.leader_leases SET done_at = done_at - interval '2 hours'")
        .await;
    assert_eq!(turn(month).await, 0, "not before its time");
    assert_eq!(turn(hour).await, 1, "by the present setting it is time");
    assert_eq!(turn(hour).await, 0);
}

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
    let began = std::time::Instant::now();
    while left(run).await + left(other).await > 0 {
        assert!(began.elapsed() < Duration::from_secs(60));
        worker.step("w").await.unwrap();
    }
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
