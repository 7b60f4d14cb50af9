//! One fetch for many notifications, and for every notification one that began after it came (invariant 4).

use serde_json::json;

use super::setup::{
    MESSAGE, fetch_until_idle, fetching_worker, live_of, notify, outcomes, price, punctual, quoted, rfq,
};
use crate::support::cluster::Db;
use crate::support::fake_avinode::FakeAvinode;
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::sql::count;

#[tokio::test(flavor = "multi_thread")]
async fn a_thin_notification_is_fetched_and_its_quote_is_counted() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", Some("arfq-1"), 10_000));
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    assert_eq!(stub.count(MESSAGE), 1);
    let outcomes = outcomes(&db.pool).await;
    assert_eq!(outcomes[0].0, "applied", "{outcomes:?}");
    assert!(outcomes[0].1.contains("quote_received aquote-1"), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_notifications_of_one_resource_make_two_fetches_at_most() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.show("rfqs/arfq-1", rfq("arfq-1", "A1B2C3"));
    let thin = stub.thin("rfqs/arfq-1", Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    notify(&db.pool, &vec![thin.clone(); 20]).await;
    stub.hold();
    let stepping = {
        let worker = worker.clone();
        tokio::spawn(async move { worker.step("w").await.unwrap() })
    };
    stub.called(1).await;
    notify(&db.pool, &vec![thin; 30]).await;
    stub.release();
    assert_eq!(stepping.await.unwrap().jobs, 20);
    fetch_until_idle(&worker).await;
    assert_eq!(stub.count("rfqs/arfq-1"), 2);
    let served = count(
        &db.pool,
        "SELECT count(*) FROM avinode_ingest.outcomes WHERE kind = 'fetch_notified'",
    )
    .await;
    assert_eq!(served, 50);
    assert_eq!(live_of(&db.pool, "arfq-1").await, [], "nor is it looked at again later");
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_notifications_one_after_another_make_two_fetches_as_well() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.show("rfqs/arfq-1", rfq("arfq-1", "A1B2C3"));
    let thin = stub.thin("rfqs/arfq-1", Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for _ in 0..50 {
        notify(&db.pool, std::slice::from_ref(&thin)).await;
        worker.step("w").await.unwrap();
    }
    fetch_until_idle(&worker).await;
    assert_eq!(
        stub.count("rfqs/arfq-1"),
        2,
        "one immediately, and one that sees all notifications"
    );
    assert_eq!(live_of(&db.pool, "arfq-1").await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_that_comes_during_a_fetch_gets_a_fetch_of_its_own() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    notify(&db.pool, std::slice::from_ref(&thin)).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    // The first answer is made before the price changes, and arrives afterwards.
    stub.fail(MESSAGE, slow_answer());
    stub.hold();
    let stepping = {
        let worker = worker.clone();
        tokio::spawn(async move { worker.step("w").await.unwrap() })
    };
    stub.called(1).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 9_000));
    notify(&db.pool, &[thin]).await;
    assert_eq!(worker.step("another").await.unwrap().batches, 0, "one at a time");
    stub.release();
    stepping.await.unwrap();
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("10000"));
    fetch_until_idle(&worker).await;
    assert_eq!(stub.count(MESSAGE), 2);
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("9000"));
    assert_eq!(quote_count(&db.pool, session).await, 1);
}

/// The document before the change.
fn slow_answer() -> crate::support::fake_avinode::Fault {
    let body = json!({"data": quoted("asellermsg-1", "aquote-1", None, 10_000), "meta": {}});
    crate::support::fake_avinode::Fault {
        body,
        ..crate::support::fake_avinode::Fault::of(200)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_link_is_dead_lettered_and_the_other_notifications_of_its_resource_are_served() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    let good = stub.thin(MESSAGE, Some("A1B2C3"));
    let mut evil = good.clone();
    evil["href"] = json!("https://sandbox.avinode.com.evil.example/api/tripmsgs/asellermsg-1");
    let mut leads = good.clone();
    leads["type"] = json!("leads");
    notify(&db.pool, &[evil, good, leads]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    let found = outcomes(&db.pool).await;
    assert!(
        found[0].0 == "dead" && found[0].1.starts_with("link not followed"),
        "{found:?}"
    );
    assert_eq!(
        (found[1].0.as_str(), found[2].0.as_str()),
        ("applied", "ignored"),
        "{found:?}"
    );
    assert_eq!(stub.calls().len(), 1);
}

/// `reconcile` counts what was new: a job that shares a document without news has none either.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_shares_a_document_has_the_outcome_of_the_document() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.show("rfqs/arfq-1", rfq("arfq-1", "A1B2C3"));
    let thin = stub.thin("rfqs/arfq-1", Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &punctual(stub.settings(100.0, 100))).await;
    for expected in ["applied", "nothing"] {
        notify(&db.pool, &[thin.clone(), thin.clone()]).await;
        fetch_until_idle(&worker).await;
        let all = outcomes(&db.pool).await;
        let newest: Vec<&str> = all.iter().rev().take(2).map(|(outcome, _)| outcome.as_str()).collect();
        assert_eq!(newest, [expected; 2], "{all:?}");
    }
}
