//! Fetched documents: other resources, missing parts, and quotes that arrive before their message.

use avinode_ingest::clock::Clock;
use serde_json::{Value, json};

use crate::fetching::setup::{
    MESSAGE, fetch_until_idle, fetching_worker, live, make_due, notify, outcomes, punctual, quoted,
};
use crate::support::PATIENCE;
use crate::support::bodies::event;
use crate::support::cluster::Db;
use crate::support::eventually::eventually;
use crate::support::fake_avinode::{FakeAvinode, Fault};
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::snapshot::{dead_jobs, dead_reasons};
use crate::support::sql::text;
use crate::support::worker::worker_at;

const QUOTE: &str = "quotes/aquote-1";

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_cannot_be_identified_is_a_dead_job_that_says_why() {
    let no_id = json!({"sellerQuote": {"sellerPrice": {"price": 5, "currency": "USD"}}});
    for (document, words) in [
        (
            json!({"id": "asellermsg-2"}),
            "has the id \"asellermsg-2\", so it is not applied",
        ),
        (no_id, "the sellerQuote of tripmsgs/asellermsg-1 has no id"),
        (
            json!({"data": quoted("asellermsg-1", "aquote-1", None, 5)}),
            "the data of the document contains another data object",
        ),
        (
            json!([quoted("asellermsg-2", "aquote-1", None, 5)]),
            "is a list of 1 without an item of this id",
        ),
        (json!({"tripId": 7015.0}), "data.tripId is the number 7015.0"),
    ] {
        let (db, stub) = (Db::new().await, FakeAvinode::start().await);
        let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
        stub.show(MESSAGE, document);
        notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
        let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
        fetch_until_idle(&worker).await;
        let reasons = dead_reasons(&db.pool).await;
        assert!(reasons.len() == 1 && reasons[0].contains(words), "{words}: {reasons:?}");
        assert_eq!(quote_count(&db.pool, session).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_outside_of_its_envelope_is_a_dead_job_that_says_so() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let bare = Fault {
        status: 200,
        headers: Vec::new(),
        body: quoted("asellermsg-1", "aquote-1", None, 5),
    };
    stub.fail(MESSAGE, bare);
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    let reasons = dead_reasons(&db.pool).await;
    assert!(
        reasons.len() == 1 && reasons[0].ends_with("outside of its envelope: the body has no \"data\""),
        "{reasons:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_searched_for_the_requested_message() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let list: Vec<Value> = [2, 1]
        .map(|n| quoted(&format!("asellermsg-{n}"), &format!("aquote-{n}"), None, 1_000 * n))
        .into();
    stub.show(MESSAGE, json!(list));
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    let known = "SELECT string_agg(quote_id || ' ' || amount, '') FROM avinode_ingest.quote_facts";
    assert_eq!(text(&db.pool, known).await.as_deref(), Some("aquote-1 1000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_is_notified_before_its_message_waits_for_it() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let price = json!({"price": 5_000, "currency": "USD"});
    stub.show(QUOTE, json!({"id": "aquote-1", "sellerPrice": price}));
    stub.show(
        MESSAGE,
        json!({"id": "asellermsg-1", "sellerQuote": {"id": "aquote-1"}}),
    );
    notify(&db.pool, &[stub.thin(QUOTE, None)]).await;
    let worker = fetching_worker(&db.pool, &punctual(stub.settings(100.0, 100))).await;
    worker.step("w").await.unwrap();
    let waiting = live(&db.pool).await;
    assert!(waiting.len() == 1 && dead_jobs(&db.pool).await == 0, "{waiting:?}");
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    fetch_until_idle(&worker).await;
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(
        (quote_count(&db.pool, session).await, dead_jobs(&db.pool).await),
        (1, 0)
    );
    let known = "SELECT amount::text FROM avinode_ingest.quote_facts";
    assert_eq!(text(&db.pool, known).await.as_deref(), Some("5000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_whose_message_never_comes_is_dead_lettered_in_time() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.show(QUOTE, json!({"id": "aquote-1"}));
    notify(&db.pool, &[stub.thin(QUOTE, None)]).await;
    let worker = fetching_worker(&db.pool, &punctual(stub.settings(100.0, 100))).await;
    worker.step("w").await.unwrap();
    for table in [
        "jobs SET created_at = created_at",
        "documents SET requested_at = requested_at",
    ] {
        let later = format!("UPDATE avinode_ingest.{table} - interval '41 minutes'");
        db.run(&later).await;
    }
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(
        dead_reasons(&db.pool).await,
        ["quotes/aquote-1 names no trip, and no fact knows its RFQ or quote"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_legs_and_leads_complete_as_ignored_without_a_call() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    for kind in ["emptylegs", "leads"] {
        let id = format!("a{kind}-1");
        let href = format!("https://sandbox.avinode.com/api/{kind}/{id}");
        notify(&db.pool, &[json!({"id": id, "href": href, "type": kind})]).await;
    }
    fetch_until_idle(&worker).await;
    let found = outcomes(&db.pool).await;
    assert!(
        found.len() == 2 && found.iter().all(|(outcome, _)| outcome == "ignored"),
        "{found:?}"
    );
    assert!(stub.calls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quotes_event_fetches_the_quote_that_it_names() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let price = json!({"price": 6_000, "currency": "USD"});
    stub.show(
        QUOTE,
        json!({"id": "aquote-1", "tripId": "A1B2C3", "sellerPrice": price,
        "lift": [{"sourcingStatus": 2}]}),
    );
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    let body = event("Quotes", "evt-1", 0, json!({"quote": {"id": "aquote-1"}}));
    notify(&db.pool, &[body]).await;
    eventually(PATIENCE, "the event is applied", async || {
        worker_at(&db.pool, Clock::System).step("w").await.unwrap();
        !outcomes(&db.pool).await.is_empty()
    })
    .await;
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!(stub.count(QUOTE), 1);
    assert_eq!(
        (quote_count(&db.pool, session).await, dead_jobs(&db.pool).await),
        (1, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_of_a_document_that_is_not_understood_is_in_the_outcome() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let mut message = quoted("asellermsg-1", "aquote-1", None, 5);
    message["sellerQuote"]["validUntil"] = json!("next week");
    stub.show(MESSAGE, message);
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    fetch_until_idle(&worker).await;
    let found = outcomes(&db.pool).await;
    assert!(
        found[0]
            .1
            .ends_with("not understood: data.sellerQuote.validUntil \"next week\""),
        "{found:?}"
    );
}
