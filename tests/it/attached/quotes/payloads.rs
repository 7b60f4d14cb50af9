//! `quotes.raw_webhook_payload` has the body of the newest event about the quote, unless the application wrote it.

use chrono::Duration;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;

use super::setup::{prices, resync, statement};
use crate::support::bodies::base;
use crate::support::cluster::Db;
use crate::support::deliveries::store_at;
use crate::support::sessions::{SessionBuilder, set_trip_id};
use crate::support::sql::count;
use crate::support::worker::run_jobs;

const QUOTE: &str = "aquote-1";

/// Receives a body so many seconds after `base()`.
async fn receive_at(db: &Db, seconds: i64, body: &[u8]) {
    store_at(&db.pool, body, base() + Duration::seconds(seconds)).await;
    run_jobs(&db.pool).await;
}

async fn receive(db: &Db, seconds: i64, body: &Value) {
    receive_at(db, seconds, &serde_json::to_vec(body).unwrap()).await;
}

async fn payload(db: &Db) -> Option<Value> {
    let payload = "SELECT raw_webhook_payload FROM public.quotes WHERE avinode_quote_id = 'aquote-1'";
    sqlx::query_scalar(payload).fetch_one(&db.pool).await.unwrap()
}

/// A statement with a property of its own, and numbers that `jsonb` writes in another form.
fn numbered(seconds: i64, price: i64) -> Value {
    let mut body = statement(QUOTE, seconds, price);
    body["data"]["note"] = serde_json::from_str(&format!("[{seconds}, 1e2, 1.50]")).unwrap();
    body
}

/// The body as `jsonb` writes it.
async fn as_stored(db: &Db, body: &Value) -> Option<Value> {
    let statement = AssertSqlSafe(format!("SELECT $json${body}$json$::jsonb"));
    Some(sqlx::query_scalar(statement).fetch_one(&db.pool).await.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_has_the_body_of_the_newest_event() {
    let db = Db::attached().await;
    receive(&db, 0, &numbered(0, 9_000)).await;
    assert_eq!(payload(&db).await, as_stored(&db, &numbered(0, 9_000)).await);
    receive(&db, 10, &numbered(20, 9_500)).await;
    assert_eq!(payload(&db).await, as_stored(&db, &numbered(20, 9_500)).await);
    receive(&db, 20, &numbered(10, 9_200)).await;
    assert_eq!(payload(&db).await, as_stored(&db, &numbered(20, 9_500)).await);
    assert_eq!(prices(&db, QUOTE).await, "9500.00 9500.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_made_later_has_the_body_of_the_stored_delivery() {
    let db = Db::new().await;
    let session = SessionBuilder::new().insert(&db.pool).await;
    receive(&db, 0, &numbered(0, 9_000)).await;
    receive(&db, 10, &numbered(20, 9_500)).await;
    receive(&db, 20, &numbered(10, 9_200)).await;
    set_trip_id(&db.pool, session, Some("64956151")).await;
    resync(&db).await;
    assert_eq!(payload(&db).await, as_stored(&db, &numbered(20, 9_500)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_whose_delivery_was_deleted_keeps_what_it_has() {
    let db = Db::attached().await;
    receive(&db, 0, &numbered(20, 9_000)).await;
    db.run("UPDATE avinode_ingest.quote_facts SET projected_values = projected_values #- '{raw_webhook_payload,statement}'")
        .await;
    db.run("DELETE FROM avinode_ingest.deliveries").await;
    receive(&db, 10, &numbered(10, 8_000)).await;
    assert_eq!(payload(&db).await, as_stored(&db, &numbered(20, 9_000)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_of_the_application_is_left_alone() {
    let db = Db::attached().await;
    receive(&db, 0, &numbered(0, 9_000)).await;
    let own = "UPDATE public.quotes SET raw_webhook_payload = '{\"own\": true}'";
    db.run(own).await;
    receive(&db, 10, &numbered(10, 9_500)).await;
    assert_eq!(payload(&db).await, Some(json!({"own": true})));
    assert_eq!(prices(&db, QUOTE).await, "9500.00 9500.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_without_the_column_or_with_one_of_another_type_shows_the_rest() {
    for change in [
        "ALTER TABLE public.quotes DROP COLUMN raw_webhook_payload",
        "ALTER TABLE public.quotes ALTER COLUMN raw_webhook_payload TYPE varchar(10)",
    ] {
        let db = Db::attached().await;
        db.run(change).await;
        receive(&db, 0, &numbered(0, 9_000)).await;
        receive(&db, 10, &numbered(20, 9_500)).await;
        receive(&db, 20, &numbered(10, 9_200)).await;
        assert_eq!(prices(&db, QUOTE).await, "9500.00 9500.00");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_jsonb_refuses_leaves_the_column_empty_in_every_order() {
    let refused = statement(QUOTE, 20, 9_500).to_string().replace("A. Seller", "A\\u0000");
    assert!(refused.contains("\\u0000"));
    for is_first in [true, false] {
        let db = Db::attached().await;
        if is_first {
            receive_at(&db, 10, refused.as_bytes()).await;
            assert_eq!(payload(&db).await, None);
        }
        receive(&db, 0, &numbered(0, 9_000)).await;
        if !is_first {
            assert!(payload(&db).await.is_some());
            receive_at(&db, 10, refused.as_bytes()).await;
        }
        assert_eq!(payload(&db).await, None);
        assert_eq!(prices(&db, QUOTE).await, "9500.00 9500.00");
        let refusals = "SELECT count(*) FROM avinode_ingest.quote_facts WHERE projection_error IS NOT NULL";
        assert_eq!(count(&db.pool, refusals).await, 0);
    }
}
