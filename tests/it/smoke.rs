//! The main function: a signed delivery changes a session.

use avinode_ingest::service::ServiceSettings;

use crate::support::PATIENCE;
use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::{equal, eventually};
use crate::support::service::RunningService;
use crate::support::sessions::{SessionBuilder, quote_count, view};
use crate::support::worker::{run_until_idle, worker};

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_delivery_becomes_a_counted_quote_and_the_primary_quote() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("64956150").insert(&db.pool).await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let body = quote("evt-1", "atrip-64956150", "arfq-1", "aquote-1", 0, "18500.5", "USD");
    let (status, answer) = service.post(&serde_json::to_vec(&body).unwrap()).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer["delivery"].is_string(), "{answer}");
    eventually(PATIENCE, "the quote is counted", async || {
        equal(quote_count(&db.pool, session).await, 1)
    })
    .await;
    let found = view(&db.pool, session).await;
    assert_eq!(found.primary_quote.as_deref(), Some("aquote-1"));
    assert_eq!(found.current_step.as_deref(), Some("requesting_quotes"));
    let ended = service.stop().await;
    assert_eq!((ended.cut_off, ended.stopped), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_twice_is_counted_once() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let body = quote("evt-1", "a1b2c3", "arfq-1", "aquote-1", 0, "18500", "USD");
    store_deliveries(&db.pool, &[body.clone(), body.clone()], base()).await;
    let worker = worker(&db.pool);
    run_until_idle(&worker).await;
    store_deliveries(&db.pool, &[body], base()).await;
    run_until_idle(&worker).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
}
