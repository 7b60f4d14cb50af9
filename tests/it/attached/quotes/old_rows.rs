//! Rows of older applications: Avinode's id is in their metadata, or their column has the id of an RFQ or of a decline.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::chat_session::input::QuoteUpdate;
use avinode_ingest::domain::chat_session::page::PageRequest;
use avinode_ingest::postgres::migrator;
use avinode_ingest::sessions::service::SessionService;
use serde_json::Value;
use uuid::Uuid;

use super::setup::application_session;
use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::receive;
use crate::support::sessions::view;
use crate::support::sql::{count, text};

const REQUEST: &str = "02000000-0000-4000-8000-000000000004";

/// Inserts a row of session 6, with a column and a metadata id.
async fn insert(db: &Db, column: Option<&str>, metadata: Option<&str>, price: i64) -> Uuid {
    sqlx::query_scalar(
        "INSERT INTO public.quotes (request_id, operator_id, operator_name, base_price, total_price, aircraft_type,
            avinode_quote_id, metadata)
         VALUES ($1::uuid, 'seller-1', 'A. Seller', $2, $2, 'Light Jet', $3,
            jsonb_strip_nulls(jsonb_build_object('avinode_quote_id', $4::text)))
         RETURNING id",
    )
    .bind(REQUEST)
    .bind(price)
    .bind(column)
    .bind(metadata)
    .fetch_one(&db.pool)
    .await
    .unwrap()
}

fn stated(id: &str, seconds: i64, price: i64) -> Value {
    let event = format!("evt-{id}-{seconds}");
    quote(&event, "64956151", "arfq-1", id, seconds, &price.to_string(), "USD")
}

const ROWS: &str = "SELECT string_agg(concat_ws(' ', avinode_quote_id, metadata ->> 'avinode_quote_id', total_price), ', ' ORDER BY created_at, id)
    FROM public.quotes WHERE request_id = '02000000-0000-4000-8000-000000000004'";

#[tokio::test(flavor = "multi_thread")]
async fn a_row_with_the_id_in_its_metadata_is_found_and_shows_the_newest_price() {
    let db = Db::attached().await;
    insert(&db, None, Some(" aquote-1 "), 46_400).await;
    insert(&db, Some("arfq-5"), Some("aquote-2"), 9_000).await;
    insert(&db, Some("DECLINE-evt-9"), None, 9_000).await;
    receive(&db.pool, &[stated("aquote-1", 0, 46_400), stated("aquote-2", 0, 9_000)]).await;
    receive(
        &db.pool,
        &[stated("aquote-1", 10, 50_000), stated("aquote-2", 10, 9_100)],
    )
    .await;
    assert_eq!(
        text(&db.pool, ROWS).await.as_deref(),
        Some(" aquote-1  50000.00, arfq-5 aquote-2 9100.00, DECLINE-evt-9 9000.00")
    );
    let found = view(&db.pool, application_session(6)).await;
    assert_eq!(found.quotes_received_count, 2);
    assert_eq!(found.primary_quote.as_deref(), Some("aquote-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_first_attach_ids_of_rfqs_and_declines_are_no_quotes_and_those_in_metadata_are() {
    let db = Db::application().await;
    insert(&db, None, Some("aquote-1"), 46_400).await;
    insert(&db, Some("aquote-2"), None, 46_400).await;
    insert(&db, Some("arfq-5"), None, 46_400).await;
    insert(&db, Some("decline-evt-9"), None, 46_400).await;
    migrator::migrate(&db.options).await.unwrap();
    let ledger = "SELECT string_agg(quote_id, ' ' ORDER BY quote_id) FROM avinode_ingest.ledger
        WHERE session_id = '06000000-0000-4000-8000-000000000006' AND NOT counted";
    assert_eq!(text(&db.pool, ledger).await.as_deref(), Some("aquote-1 aquote-2"));
    let before = view(&db.pool, application_session(6)).await.quotes_received_count;
    receive(
        &db.pool,
        &[stated("aquote-1", 0, 46_400), stated("aquote-2", 0, 46_400)],
    )
    .await;
    let found = view(&db.pool, application_session(6)).await;
    assert_eq!(found.quotes_received_count, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_is_known_by_its_row_and_gets_avinodes_id_later_counts_once() {
    let db = Db::attached().await;
    let session = application_session(6);
    let service = SessionService::new(db.pool.service(), Clock::Fixed(base()));
    let by_row = async |row: Uuid| {
        let update = QuoteUpdate {
            quote_id: row,
            ..QuoteUpdate::default()
        };
        service
            .update_quote(session, &update)
            .await
            .unwrap()
            .quotes_received_count
    };
    let by_column = insert(&db, None, None, 46_400).await;
    let by_metadata = insert(&db, Some("arfq-5"), None, 9_000).await;
    assert_eq!(by_row(by_column).await, 1);
    assert_eq!(by_row(by_metadata).await, 2);
    db.run(&format!(
        "UPDATE public.quotes SET avinode_quote_id = 'aquote-1' WHERE id = '{by_column}';
         UPDATE public.quotes SET metadata = '{{\"avinode_quote_id\": \"aquote-2\"}}' WHERE id = '{by_metadata}'"
    ))
    .await;
    // The webhook is before the API for one of them.
    receive(&db.pool, &[stated("aquote-1", 0, 46_400), stated("aquote-3", 1, 7_000)]).await;
    assert_eq!(by_row(by_column).await, 3);
    assert_eq!(by_row(by_metadata).await, 3);
    receive(&db.pool, &[stated("aquote-2", 2, 9_000), stated("aquote-1", 3, 50_000)]).await;
    assert_eq!(view(&db.pool, session).await.quotes_received_count, 3);
    let entries = service.quotes(session, &PageRequest::default()).await.unwrap();
    let ids: Vec<_> = entries
        .data
        .iter()
        .map(|entry| entry.avinode_quote_id.clone().unwrap())
        .collect();
    assert_eq!(ids, ["aquote-1", "aquote-2", "aquote-3"]);
    let rows = "SELECT count(*) FROM public.quotes WHERE request_id = '02000000-0000-4000-8000-000000000004'";
    assert_eq!(count(&db.pool, rows).await, 3);
}
