//! The main function: a signed delivery changes a session.

use std::time::Duration;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::service::ServiceSettings;
use avinode_ingest::store::admin;

use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::service::{Running, drain, keep, session, shift};

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_delivery_becomes_a_counted_quote_and_the_primary_quote() {
    let db = Db::new().await;
    let session = session(&db.pool, Some("64956150")).await;
    let service = Running::start(&db.pool, ServiceSettings::default()).await;
    let body = quote("evt-1", "atrip-64956150", "arfq-1", "aquote-1", 0, "18500.5", "USD");
    let (status, answer) = service.post(&serde_json::to_vec(&body).unwrap()).await;
    assert_eq!(status, 200, "{answer}");
    assert!(answer["delivery"].is_string(), "{answer}");
    let mut found = admin::sessions(&db.pool, &[session]).await.unwrap();
    for _ in 0..500 {
        if found[0].quotes_received_count == 1 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
        found = admin::sessions(&db.pool, &[session]).await.unwrap();
    }
    assert_eq!(found[0].quotes_received_count, 1);
    assert_eq!(found[0].primary_quote.as_deref(), Some("aquote-1"));
    assert_eq!(found[0].current_step.as_deref(), Some("requesting_quotes"));
    let ended = service.stop().await;
    assert_eq!((ended.cut_off, ended.stopped), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_event_twice_is_counted_once() {
    let db = Db::new().await;
    let session = session(&db.pool, Some("A1B2C3")).await;
    let body = quote("evt-1", "a1b2c3", "arfq-1", "aquote-1", 0, "18500", "USD");
    keep(&db.pool, &[body.clone(), body.clone()], base()).await;
    let shift = shift(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base()));
    drain(&shift, "w").await;
    keep(&db.pool, &[body], base()).await;
    drain(&shift, "w").await;
    let found = admin::sessions(&db.pool, &[session]).await.unwrap();
    assert_eq!(found[0].quotes_received_count, 1);
}
