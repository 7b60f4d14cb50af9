//! A quote that is fetched as its own resource may be a generated price: another document shows whether it is.

use serde_json::{Value, json};

use super::setup::{fetch_until_idle, fetching_worker, make_due, notify, price, rfq};
use crate::support::cluster::Db;
use crate::support::fake_avinode::FakeAvinode;
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::snapshot::dead_jobs;
use crate::support::sql::count;

const QUOTE: &str = "quotes/aquote-1";
const RFQ: &str = "rfqs/arfq-1";

/// A quote as its own resource shows it, without a word of who made it.
fn bare() -> Value {
    json!({
        "id": "aquote-1", "sellerPrice": {"price": 10_000, "currency": "USD"}, "lift": {"aircraftType": "Light jet"},
        "links": {"rfqs": [{"id": "arfq-1"}]},
    })
}

/// The RFQ, with this status of the lift that links the quote.
fn with_lift(status: u8) -> Value {
    let mut rfq = rfq("arfq-1", "A1B2C3");
    rfq["sellerLift"] = json!([{"sourcingStatus": status, "links": {"quotes": [{"id": "aquote-1"}]}}]);
    rfq
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_price_is_not_counted_though_it_is_notified() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(QUOTE, bare());
    stub.show(RFQ, with_lift(1));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    // By the trip that it names, and by the RFQ that knows it.
    for trip in [Some("A1B2C3"), None] {
        notify(&db.pool, &[stub.thin(QUOTE, trip)]).await;
        fetch_until_idle(&worker).await;
        make_due(&db.pool).await;
        fetch_until_idle(&worker).await;
        assert_eq!(quote_count(&db.pool, session).await, 0);
    }
    assert_eq!(dead_jobs(&db.pool).await, 0);
    let rows = count(&db.pool, "SELECT count(*) FROM public.quotes").await;
    assert_eq!(rows, 0, "nor shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notified_quote_is_counted_once_its_rfq_was_fetched_again() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    stub.show(RFQ, with_lift(1));
    notify(&db.pool, &[stub.thin(RFQ, None)]).await;
    fetch_until_idle(&worker).await;
    assert_eq!(stub.count(RFQ), 1);
    // The seller answers, and of that only the quote is notified.
    stub.show(RFQ, with_lift(2));
    stub.show(QUOTE, bare());
    notify(&db.pool, &[stub.thin(QUOTE, Some("A1B2C3"))]).await;
    fetch_until_idle(&worker).await;
    assert_eq!((quote_count(&db.pool, session).await, stub.count(RFQ)), (0, 1));
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!((quote_count(&db.pool, session).await, stub.count(RFQ)), (1, 2));
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("10000"));
    // It was fetched a second time because it was notified of a moment before, and is again for its price, which the RFQ
    // leaves out. There it ends.
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!((stub.count(RFQ), stub.count(QUOTE)), (2, 3));
    make_due(&db.pool).await;
    fetch_until_idle(&worker).await;
    assert_eq!((stub.count(RFQ), stub.count(QUOTE)), (2, 3));
    assert_eq!(quote_count(&db.pool, session).await, 1);
}
