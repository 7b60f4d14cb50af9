//! Storage of fetched documents, and the jobs that remain after a fetch.

use serde_json::json;

use super::setup::{MESSAGE, backdate_documents, fetch_until_idle, fetching_worker, notify, now, quoted};
use crate::support::cluster::Db;
use crate::support::fake_avinode::FakeAvinode;
use crate::support::retention;
use crate::support::sessions::SessionBuilder;
use crate::support::sql::count;

#[tokio::test(flavor = "multi_thread")]
async fn few_documents_of_a_resource_are_stored_and_old_ones_only_by_their_digest() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for price in [1, 2, 3, 4, 5, 6, 7, 7] {
        stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, price));
        notify(&db.pool, std::slice::from_ref(&thin)).await;
        fetch_until_idle(&worker).await;
        backdate_documents(&db.pool).await;
    }
    let kept = || async {
        sqlx::query_as::<_, (i32, bool)>(
            "SELECT fetch_count, body IS NOT NULL FROM avinode_ingest.documents ORDER BY requested_at DESC",
        )
        .fetch_all(&db.pool)
        .await
        .unwrap()
    };
    assert_eq!(kept().await, [(2, true), (1, true), (1, true), (1, true), (1, true)]);
    retention::run(&db.pool, &retention::defaults()).await;
    assert_eq!(kept().await.len(), 5, "none is old");
    db.run("UPDATE avinode_ingest.documents SET stored_at = stored_at - interval '31 days'")
        .await;
    retention::run(&db.pool, &retention::defaults()).await;
    assert_eq!(kept().await, [(2, false)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn however_often_a_quote_is_fetched_one_job_waits_for_its_expiry() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let thin = stub.thin(MESSAGE, Some("A1B2C3"));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    // Without a stamp what is said again is a newer fact each time.
    let until = |days| {
        let mut message = quoted("asellermsg-1", "aquote-1", None, 10_000);
        message["sellerQuote"].as_object_mut().unwrap().remove("createdOn");
        message["sellerQuote"]["validUntil"] = json!(now() + chrono::TimeDelta::days(days));
        stub.show(MESSAGE, message);
    };
    let expiries = async || {
        count(
            &db.pool,
            "SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'quote_expiry'",
        )
        .await
    };
    until(2);
    for _ in 0..6 {
        notify(&db.pool, std::slice::from_ref(&thin)).await;
        fetch_until_idle(&worker).await;
    }
    assert_eq!(stub.count(MESSAGE), 6);
    assert_eq!(expiries().await, 1);
    until(3);
    notify(&db.pool, &[thin]).await;
    fetch_until_idle(&worker).await;
    assert_eq!(expiries().await, 2, "another moment has a job of its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_with_a_quote_that_the_quotes_table_refuses_is_applied_all_the_same() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    db.run("ALTER TABLE public.quotes ADD CONSTRAINT dear CHECK (total_price < 50000)")
        .await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 60_000));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    fetch_until_idle(&worker).await;
    let refused = "SELECT count(*) FROM avinode_ingest.quote_facts WHERE projection_error IS NOT NULL";
    assert_eq!(count(&db.pool, refused).await, 1);
    let unapplied = "SELECT count(*) FROM avinode_ingest.documents WHERE NOT applied";
    assert_eq!(count(&db.pool, unapplied).await, 0);
}
