//! A document that was fetched too early is fetched a second time.

use avinode_ingest::queue::worker::Worker;
use serde_json::json;

use super::setup::{
    MESSAGE, backdate_documents, fetch_until_idle, fetching_worker, live, make_due, notify, price, quoted,
};
use crate::support::cluster::Db;
use crate::support::fake_avinode::FakeAvinode;
use crate::support::sessions::{SessionBuilder, quote_count};

/// Lets the API lag pass, and serves what is due then.
async fn fetch_second_time(db: &Db, worker: &Worker) {
    make_due(&db.pool).await;
    fetch_until_idle(worker).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_the_envelope_is_no_change_of_the_document() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for request in ["one", "two"] {
        let data = quoted("asellermsg-1", "aquote-1", None, 10_000);
        let body = json!({"meta": {"infos": [{"title": request}]}, "data": data});
        stub.fail(
            MESSAGE,
            crate::support::fake_avinode::Fault {
                body,
                ..crate::support::fake_avinode::Fault::of(200)
            },
        );
        notify(&db.pool, std::slice::from_ref(&thin)).await;
        fetch_until_idle(&worker).await;
        backdate_documents(&db.pool).await;
    }
    assert_eq!(
        live(&db.pool).await,
        [("fetch_follow_up".to_owned(), 0, false, None)],
        "it may have been too early"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_that_is_served_too_early_is_fetched_a_second_time() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    notify(&db.pool, &vec![thin; 12]).await;
    fetch_until_idle(&worker).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 9_000));
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("9000"));
    assert_eq!((stub.count(MESSAGE), live(&db.pool).await), (2, vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_fetch_of_a_document_is_stored_with_it_and_survives_a_failed_apply() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    notify(&db.pool, std::slice::from_ref(&thin)).await;
    fetch_until_idle(&worker).await;
    fetch_second_time(&db, &worker).await;
    backdate_documents(&db.pool).await;
    // It is kept, and cannot be applied: its trip is locked.
    let mut holder = db.pool.begin().await.unwrap();
    sqlx::query("SELECT FROM avinode_ingest.trips FOR UPDATE")
        .execute(&mut holder)
        .await
        .unwrap();
    notify(&db.pool, &[thin]).await;
    worker.step("w").await.unwrap();
    let kinds: Vec<String> = live(&db.pool).await.into_iter().map(|job| job.0).collect();
    assert_eq!(kinds, ["fetch_notified", "fetch_follow_up"]);
    holder.rollback().await.unwrap();
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 9_000));
    fetch_until_idle(&worker).await;
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("9000"));
    assert_eq!(live(&db.pool).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_is_fetched_a_second_time_on_first_sight_and_whatever_it_shows() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    // Too early: it is there, and shows the price before the last change.
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for (before, after) in [(10_000, 9_000), (8_000, 7_000)] {
        stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, before));
        notify(&db.pool, std::slice::from_ref(&thin)).await;
        let calls = stub.count(MESSAGE);
        fetch_until_idle(&worker).await;
        assert_eq!(price(&db.pool, "aquote-1").await, Some(before.to_string()));
        let again = live(&db.pool).await;
        assert_eq!(again, [("fetch_follow_up".to_owned(), 0, false, None)]);
        stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, after));
        fetch_second_time(&db, &worker).await;
        assert_eq!(price(&db.pool, "aquote-1").await, Some(after.to_string()));
        assert_eq!(
            (stub.count(MESSAGE) - calls, live(&db.pool).await),
            (2, vec![]),
            "once, and not for ever"
        );
        backdate_documents(&db.pool).await;
    }
    assert_eq!(quote_count(&db.pool, session).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_that_waited_longer_than_the_api_lag_makes_one_fetch() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    db.run("UPDATE avinode_ingest.jobs SET created_at = created_at - interval '4 seconds'")
        .await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    assert!(live(&db.pool).await.iter().all(|job| job.2), "nothing is to come");
    assert_eq!(stub.count(MESSAGE), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quote_of_a_message_that_was_fetched_too_early_is_fetched_a_second_time_as_well() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let mut message = quoted("asellermsg-1", "aquote-1", None, 10_000);
    message["sellerQuote"].as_object_mut().unwrap().remove("sellerPrice");
    stub.show(MESSAGE, message);
    let quote = |price: u32| json!({"id": "aquote-1", "sellerPrice": {"price": price, "currency": "USD"}});
    stub.show("quotes/aquote-1", quote(10_000));
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("10000"));
    stub.show("quotes/aquote-1", quote(9_000));
    fetch_second_time(&db, &worker).await;
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("9000"));
    assert_eq!((stub.count(MESSAGE), stub.count("quotes/aquote-1")), (2, 2));
    assert_eq!(live(&db.pool).await, [], "and there it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_with_both_ids_known_is_fetched_a_second_time_as_well() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let trip = json!({"id": "atrip-64956150", "tripId": "A1B2C3"});
    stub.show("trips/atrip-64956150", trip.clone());
    let thin = stub.thin("trips/atrip-64956150", Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    notify(&db.pool, &vec![thin; 2]).await;
    fetch_until_idle(&worker).await;
    let mut cancelled = trip;
    cancelled["canceled"] = json!(true);
    stub.show("trips/atrip-64956150", cancelled);
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(stub.count("trips/atrip-64956150"), 2);
    let status: Option<String> = sqlx::query_scalar("SELECT status FROM avinode_ingest.trips WHERE status IS NOT NULL")
        .fetch_optional(&db.pool)
        .await
        .unwrap();
    assert_eq!(status.as_deref(), Some("cancelled"));
}
