//! Avinode generates quotes, which lifts link beside those that sellers made. Only a seller's quote is received, in whatever order
//! the documents are read.

use serde_json::{Value, json};

use super::setup::{fetch_until_idle, fetching_worker, make_due, notify, price, rfq};
use crate::support::cluster::Db;
use crate::support::fake_avinode::FakeAvinode;
use crate::support::sessions::{SessionBuilder, quote_count, view};
use crate::support::snapshot::dead_jobs;

const MESSAGE: &str = "tripmsgs/asellermsg-1";
const RFQ: &str = "rfqs/arfq-1";
const GENERATED: &str = "quotes/aquote-1";
const ORDERS: [[&str; 3]; 6] = [
    [MESSAGE, RFQ, GENERATED],
    [MESSAGE, GENERATED, RFQ],
    [RFQ, MESSAGE, GENERATED],
    [RFQ, GENERATED, MESSAGE],
    [GENERATED, MESSAGE, RFQ],
    [GENERATED, RFQ, MESSAGE],
];

fn quote(id: &str, price: i64, generated: bool) -> Value {
    json!({
        "id": id, "sellerPrice": {"price": price, "currency": "USD"}, "avinodeGenerated": generated,
        "links": {"rfqs": [{"id": "arfq-1"}]},
    })
}

/// The lift is accepted and links these quotes.
fn accepted(quotes: &[&str]) -> Value {
    let mut rfq = rfq("arfq-1", "A1B2C3");
    let links: Vec<Value> = quotes.iter().map(|id| json!({"id": id})).collect();
    rfq["sellerLift"] = json!([{"sourcingStatus": 2, "links": {"quotes": links}}]);
    rfq
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_generated_quote_and_a_sellers_quote_only_the_sellers_counts_in_every_order() {
    for order in ORDERS {
        let (db, stub) = (Db::new().await, FakeAvinode::start().await);
        let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
        stub.show(
            MESSAGE,
            json!({
                "id": "asellermsg-1", "sellerQuote": {"id": "aquote-2", "sellerPrice": {"price": 46_400, "currency": "USD"}},
                "lift": [{"links": {"quotes": [{"id": "aquote-1"}]}}], "links": {"rfqs": [{"id": "arfq-1"}]},
            }),
        );
        stub.show(RFQ, accepted(&["aquote-1"]));
        stub.show(GENERATED, quote("aquote-1", 38_650, true));
        let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
        for resource in order {
            notify(&db.pool, &[stub.thin(resource, Some("A1B2C3"))]).await;
            fetch_until_idle(&worker).await;
        }
        for _ in 0..2 {
            make_due(&db.pool).await;
            fetch_until_idle(&worker).await;
        }
        let view = view(&db.pool, session).await;
        assert_eq!(
            (view.quotes_received_count, view.primary_quote.as_deref()),
            (1, Some("aquote-2")),
            "{order:?}"
        );
        assert_eq!(view.primary_price, Some(46_400.into()), "{order:?}");
        assert_eq!(dead_jobs(&db.pool).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_quote_that_an_accepted_lift_links_is_fetched_and_those_not_generated_count() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(RFQ, accepted(&["aquote-1", "aquote-2", "aquote-3"]));
    stub.show(GENERATED, quote("aquote-1", 38_650, true));
    stub.show("quotes/aquote-2", quote("aquote-2", 46_400, false));
    stub.show("quotes/aquote-3", quote("aquote-3", 47_000, false));
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 100)).await;
    notify(&db.pool, &[stub.thin(RFQ, None)]).await;
    fetch_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 2);
    for (id, expected) in [
        ("aquote-1", None),
        ("aquote-2", Some("46400")),
        ("aquote-3", Some("47000")),
    ] {
        assert_eq!(price(&db.pool, id).await.as_deref(), expected, "{id}");
    }
}
