//! Reconciling finds what missed notifications left out.

mod left;
mod runs;
mod schedule;

use avinode_ingest::jobs::reconcile;
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
    // Without a timestamp: the time of the change is unknown.
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
        "follow-ups are listed as well"
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
    assert_eq!(asked.targets[0].resources, ["A1B2C3", "arfq-1"]);
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_of_which_only_the_short_id_is_known_is_reconciled_by_it() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    show(&stub);
    stub.show(
        "trips/A1B2C3",
        json!({"id": "atrip-1", "tripId": "A1B2C3", "rfqs": [{"id": "arfq-1"}],
            "links": {"tripmsgs": [{"id": "asellermsg-1"}, {"id": "asellermsg-2"}]}}),
    );
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for scope in [ReconcileScope::Active, ReconcileScope::Trip("A1B2C3".to_owned())] {
        reconcile::enqueue(&db.pool, &scope).await.unwrap();
        fetch_until_idle(&worker).await;
    }
    assert_eq!(quote_count(&db.pool, session).await, 2);
    assert_eq!(
        (stub.count("trips/A1B2C3"), stub.count("trips/atrip-1")),
        (1, 1),
        "by its resource id once that is known"
    );
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
    assert_eq!((asked.targets.len(), asked.queued), (2, 2));
    let reached = asked.targets.iter().find(|it| it.resources == ["atrip-1"]).unwrap();
    assert_eq!(
        (reached.session, reached.trip.as_deref()),
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
