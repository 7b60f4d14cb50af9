//! Documents that lead to others: a message to its RFQ, an RFQ to its quotes.

use avinode_ingest::queue::admin;
use serde_json::json;

use super::setup::{
    MESSAGE, backdate_documents, fetch_until_idle, fetching_worker, live, make_due, notify, price, punctual, quoted,
    rfq,
};
use crate::support::actions::retry;
use crate::support::cluster::Db;
use crate::support::fake_avinode::FakeAvinode;
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::snapshot::dead_jobs;
use crate::support::worker::{run_until_idle, worker_at};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_names_no_trip_waits_for_its_rfq_and_is_not_fetched_again() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", Some("arfq-1"), 10_000));
    stub.show("rfqs/arfq-1", rfq("arfq-1", "A1B2C3"));
    notify(&db.pool, &[stub.thin(MESSAGE, None)]).await;
    let worker = fetching_worker(&db.pool, &punctual(stub.settings(100.0, 100))).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    assert_eq!((stub.count(MESSAGE), stub.count("rfqs/arfq-1")), (1, 1));
    assert_eq!(dead_jobs(&db.pool).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_names_no_trip_has_its_rfq_fetched_however_long_it_has_waited() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", Some("arfq-1"), 10_000));
    notify(&db.pool, &[stub.thin(MESSAGE, None)]).await;
    // There were no credentials for a day.
    db.run("UPDATE avinode_ingest.jobs SET created_at = created_at - interval '1 day', due_at = clock_timestamp()")
        .await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    worker.step("w").await.unwrap();
    make_due(&db.pool).await;
    // Nor is the RFQ there yet.
    worker.step("w").await.unwrap();
    assert_eq!((stub.count("rfqs/arfq-1"), dead_jobs(&db.pool).await), (1, 0));
    stub.show("rfqs/arfq-1", rfq("arfq-1", "A1B2C3"));
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    assert_eq!((stub.count(MESSAGE), dead_jobs(&db.pool).await), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_without_its_rfq_is_dead_lettered_in_time_and_served_when_retried() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", Some("arfq-1"), 10_000));
    notify(&db.pool, &[stub.thin(MESSAGE, None)]).await;
    let worker = fetching_worker(&db.pool, &punctual(stub.settings(100.0, 100))).await;
    worker.step("w").await.unwrap();
    for table in [
        "jobs SET created_at = created_at",
        "documents SET requested_at = requested_at",
    ] {
        let later = format!("UPDATE avinode_ingest.{table} - interval '41 minutes'");
        db.run(&later).await;
    }
    for _ in 0..3 {
        make_due(&db.pool).await;
        worker.step("w").await.unwrap();
    }
    assert_eq!((dead_jobs(&db.pool).await, live(&db.pool).await), (1, vec![]));

    stub.show("rfqs/arfq-1", rfq("arfq-1", "A1B2C3"));
    let dead = admin::dead_ids(&db.pool.service(), None).await.unwrap();
    retry(&db.pool.service(), &dead).await;
    fetch_until_idle(&worker).await;
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_of_which_an_rfq_shows_only_the_id_is_fetched_for_each_notification() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let mut answered = rfq("arfq-1", "A1B2C3");
    answered["sellerLift"] = json!([{"id": "alift-1", "sourcingStatus": 2, "sourcingDisplayStatus": "Accepted",
        "links": {"quotes": [{"id": "aquote-1"}]}}]);
    stub.show("rfqs/arfq-1", answered);
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for amount in [10_000, 9_000] {
        let price = json!({"price": amount, "currency": "USD"});
        stub.show("quotes/aquote-1", json!({"id": "aquote-1", "sellerPrice": price}));
        notify(&db.pool, &[stub.thin("rfqs/arfq-1", Some("A1B2C3"))]).await;
        fetch_until_idle(&worker).await;
        backdate_documents(&db.pool).await;
    }
    assert_eq!(stub.count("quotes/aquote-1"), 2);
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("9000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ids_of_a_trip_are_learned_from_a_document_and_sessions_with_either_are_found() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let by_short = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let by_resource = SessionBuilder::of_trip("64956150").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", Some("arfq-1"), 10_000));
    let mut both = rfq("arfq-1", "A1B2C3");
    both["links"] = json!({"trips": [{"id": "atrip-64956150"}]});
    stub.show("rfqs/arfq-1", both);
    let bodies = [
        stub.thin(MESSAGE, Some("A1B2C3")),
        stub.thin("rfqs/arfq-1", Some("A1B2C3")),
    ];
    notify(&db.pool, &bodies).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    let service = worker_at(&db.pool, avinode_ingest::clock::Clock::System);
    run_until_idle(&service).await;
    assert_eq!(
        (
            quote_count(&db.pool, by_short).await,
            quote_count(&db.pool, by_resource).await
        ),
        (1, 1)
    );
}
