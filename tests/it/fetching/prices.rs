//! A quote that is fetched as its own resource may be a generated price: another document shows whether it is.

use serde_json::{Value, json};

use super::setup::{counted, make_due, notify, price, rfq, work_off, worker_with};
use crate::support::cluster::Db;
use crate::support::fake_avinode::Stub;
use crate::support::service::session;
use crate::support::snapshot::dead_jobs;

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
    let (db, stub) = (Db::new().await, Stub::start().await);
    let session = session(&db.pool, Some("A1B2C3")).await;
    stub.show(QUOTE, bare());
    stub.show(RFQ, with_lift(1));
    let worker = worker_with(&db.pool, &stub.settings(100.0, 100)).await;
    // By the trip that it names, and by the RFQ that knows it.
    for trip in [Some("A1B2C3"), None] {
        notify(&db.pool, &[stub.thin(QUOTE, trip)]).await;
        work_off(&worker).await;
        make_due(&db.pool).await;
        work_off(&worker).await;
        assert_eq!(counted(&db.pool, session).await, 0);
    }
    assert_eq!(dead_jobs(&db.pool).await, 0);
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM public.quotes")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(rows, 0, "nor shown");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notified_quote_is_counted_once_its_rfq_was_fetched_again() {
    let (db, stub) = (Db::new().await, Stub::start().await);
    let session = session(&db.pool, Some("A1B2C3")).await;
    let worker = worker_with(&db.pool, &stub.settings(100.0, 100)).await;
    stub.show(RFQ, with_lift(1));
    notify(&db.pool, &[stub.thin(RFQ, None)]).await;
    work_off(&worker).await;
    assert_eq!(stub.count(RFQ), 1);
    // The seller answers, and of that only the quote is notified.
    stub.show(RFQ, with_lift(2));
    stub.show(QUOTE, bare());
    notify(&db.pool, &[stub.thin(QUOTE, Some("A1B2C3"))]).await;
    work_off(&worker).await;
    assert_eq!((counted(&db.pool, session).await, stub.count(RFQ)), (0, 1));
    make_due(&db.pool).await;
    work_off(&worker).await;
    assert_eq!((counted(&db.pool, session).await, stub.count(RFQ)), (1, 2));
    assert_eq!(price(&db.pool, "aquote-1").await.as_deref(), Some("10000"));
    // It is fetched again for its price, which the RFQ leaves out, and there it ends.
    make_due(&db.pool).await;
    work_off(&worker).await;
    assert_eq!((stub.count(RFQ), stub.count(QUOTE)), (2, 2));
    assert_eq!(counted(&db.pool, session).await, 1);
}
