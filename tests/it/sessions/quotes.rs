//! A quote is counted once, whether the API or the webhook reports it first; a given primary quote is pinned.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::chat_session::input::{NewChatSession, QuoteUpdate};
use avinode_ingest::domain::chat_session::page::PageRequest;
use avinode_ingest::domain::chat_session::view::ChatSession;
use uuid::Uuid;

use super::{create, field, moment, sessions};
use crate::support::bodies;
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::pool::Pool;
use crate::support::sessions::SessionReferences;
use crate::support::worker::{run_until_idle, worker_at};

const TRIP: &str = "atrip-64956150";

fn update(quote_id: Uuid) -> QuoteUpdate {
    QuoteUpdate {
        quote_id,
        ..QuoteUpdate::default()
    }
}

async fn on_trip(pool: &Pool, references: SessionReferences) -> ChatSession {
    let on_trip = NewChatSession {
        avinode_trip_id: Some(TRIP.to_owned()),
        ..references.input()
    };
    sessions(pool, 0).create_or_update(&on_trip).await.unwrap().session
}

/// Has Avinode tell of a quote, and all workers' jobs done.
async fn webhook(pool: &Pool, quote: &str, seconds: i64) {
    let event = format!("evt-{quote}-{seconds}");
    let body = bodies::quote(&event, TRIP, &format!("arfq-{quote}"), quote, seconds, "48250", "USD");
    store_deliveries(pool, &[body], moment(seconds)).await;
    run_until_idle(&worker_at(pool, Clock::Fixed(moment(seconds)))).await;
}

async fn row(pool: &Pool, quote: &str) -> Uuid {
    sqlx::query_scalar("SELECT id FROM public.quotes WHERE avinode_quote_id = $1")
        .bind(quote)
        .fetch_one(pool)
        .await
        .unwrap()
}

async fn received(pool: &Pool, session: Uuid) -> i32 {
    sessions(pool, 0).get(session).await.unwrap().quotes_received_count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_the_api_reports_before_the_webhook_is_counted_once() {
    for db in [Db::new().await, Db::attached().await] {
        let references = SessionReferences::insert(&db.pool).await;
        let session = on_trip(&db.pool, references).await.id;
        let quote = references.insert_quote(&db.pool, Some(" aquote-1 ")).await;
        for _ in 0..2 {
            let updated = sessions(&db.pool, 1)
                .update_quote(session, &update(quote))
                .await
                .unwrap();
            assert_eq!(updated.quotes_received_count, 1);
            assert_eq!(updated.current_step.as_deref(), Some("requesting_quotes"));
        }
        webhook(&db.pool, "aquote-1", 2).await;
        assert_eq!(received(&db.pool, session).await, 1);
        webhook(&db.pool, "aquote-2", 3).await;
        assert_eq!(received(&db.pool, session).await, 2);
        let lines = sessions(&db.pool, 0)
            .timeline(session, &PageRequest::default())
            .await
            .unwrap()
            .data;
        let first = lines.iter().filter(|line| line.kind == "quote_received");
        assert_eq!(first.count(), 2, "{lines:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_the_webhook_reports_before_the_api_is_counted_once() {
    for db in [Db::new().await, Db::attached().await] {
        let references = SessionReferences::insert(&db.pool).await;
        let session = on_trip(&db.pool, references).await.id;
        webhook(&db.pool, "aquote-1", 1).await;
        assert_eq!(received(&db.pool, session).await, 1);
        let quote = row(&db.pool, "aquote-1").await;
        let updated = sessions(&db.pool, 2)
            .update_quote(session, &update(quote))
            .await
            .unwrap();
        assert_eq!(updated.quotes_received_count, 1);
        assert_eq!(updated.operator_name.as_deref(), Some("Northwind Jets"));
        assert_eq!(updated.total_price.unwrap().to_string(), "48250.00");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_reported_concurrently_by_api_and_webhook_are_counted_once() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let session = on_trip(&db.pool, references).await.id;
    let mut rows = Vec::new();
    let mut webhook_bodies = Vec::new();
    for number in 0..12 {
        let name = format!("aquote-{number}");
        rows.push(references.insert_quote(&db.pool, Some(&name)).await);
        let rfq = format!("arfq-{number}");
        webhook_bodies.push(bodies::quote(
            &format!("evt-{number}"),
            TRIP,
            &rfq,
            &name,
            number,
            "1000",
            "USD",
        ));
    }
    for body in webhook_bodies {
        store_deliveries(&db.pool, &[body], moment(20)).await;
    }
    let (tracking, workers) = (sessions(&db.pool, 30), worker_at(&db.pool, Clock::Fixed(moment(30))));
    let api = async {
        for quote in rows {
            tracking.update_quote(session, &update(quote)).await.unwrap();
        }
    };
    tokio::join!(api, run_until_idle(&workers));
    run_until_idle(&workers).await;
    assert_eq!(received(&db.pool, session).await, 12);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_count_sets_the_column_and_new_quotes_add_to_it() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let session = on_trip(&db.pool, references).await.id;
    let update = QuoteUpdate {
        quotes_received_count: Some(3),
        quotes_expected_count: Some(5),
        ..update(references.insert_quote(&db.pool, Some("aquote-1")).await)
    };
    let updated = sessions(&db.pool, 1).update_quote(session, &update).await.unwrap();
    assert_eq!((updated.quotes_received_count, updated.quotes_expected_count), (3, 5));
    webhook(&db.pool, "aquote-1", 2).await;
    assert_eq!(received(&db.pool, session).await, 3, "it is in the ledger");
    webhook(&db.pool, "aquote-2", 3).await;
    assert_eq!(received(&db.pool, session).await, 4);
    let negative = QuoteUpdate {
        quotes_received_count: Some(-1),
        ..update
    };
    let rejected = sessions(&db.pool, 1).update_quote(session, &negative).await;
    assert_eq!(field(rejected), "quotes_received_count");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_given_primary_quote_is_pinned_until_it_is_unpinned_even_if_it_was_selected_before() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let session = on_trip(&db.pool, references).await.id;
    webhook(&db.pool, "aquote-1", 1).await;
    let first = row(&db.pool, "aquote-1").await;
    let tracking = sessions(&db.pool, 2);
    assert_eq!(tracking.get(session).await.unwrap().primary_quote_id, Some(first));
    let update = QuoteUpdate {
        primary_quote_id: Some(first),
        ..update(first)
    };
    assert!(
        tracking
            .update_quote(session, &update)
            .await
            .unwrap()
            .primary_quote_pinned
    );
    webhook(&db.pool, "aquote-2", 3).await;
    assert_eq!(tracking.get(session).await.unwrap().primary_quote_id, Some(first));
    for _ in 0..2 {
        let unpinned = tracking.unpin(session).await.unwrap();
        assert_eq!(
            (unpinned.primary_quote_pinned, unpinned.primary_quote_id),
            (false, Some(first))
        );
    }
    run_until_idle(&worker_at(&db.pool, Clock::Fixed(moment(4)))).await;
    let second = row(&db.pool, "aquote-2").await;
    assert_eq!(tracking.get(session).await.unwrap().primary_quote_id, Some(second));
    webhook(&db.pool, "aquote-3", 5).await;
    let third = row(&db.pool, "aquote-3").await;
    assert_eq!(tracking.get(session).await.unwrap().primary_quote_id, Some(third));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_without_an_avinode_id_is_counted_once_by_its_row() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let session = create(&db.pool, references).await.id;
    let quote = references.insert_quote(&db.pool, None).await;
    for _ in 0..2 {
        let updated = sessions(&db.pool, 1)
            .update_quote(session, &update(quote))
            .await
            .unwrap();
        assert_eq!(updated.quotes_received_count, 1);
    }
    let listed = sessions(&db.pool, 1)
        .quotes(session, &PageRequest::default())
        .await
        .unwrap()
        .data;
    assert_eq!((listed.len(), listed[0].quote_id), (1, Some(quote)));
    assert_eq!(listed[0].avinode_quote_id, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_of_another_request_is_rejected_unless_it_belongs_to_the_trip() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let session = on_trip(&db.pool, references).await.id;
    let other = SessionReferences::of_agent(&db.pool, references.agent).await;
    let foreign = other.insert_quote(&db.pool, None).await;
    let tracking = sessions(&db.pool, 1);
    assert_eq!(
        field(tracking.update_quote(session, &update(foreign)).await),
        "quote_id"
    );
    let missing = Uuid::from_u128(7);
    assert_eq!(
        field(tracking.update_quote(session, &update(missing)).await),
        "quote_id"
    );
    let own = references.insert_quote(&db.pool, None).await;
    for wrong in [foreign, missing] {
        let update = QuoteUpdate {
            primary_quote_id: Some(wrong),
            ..update(own)
        };
        assert_eq!(field(tracking.update_quote(session, &update).await), "primary_quote_id");
    }
    assert_eq!(received(&db.pool, session).await, 0, "a rejected call changes nothing");
    // A younger session of the same trip shares the rows of the oldest one's request.
    let younger = on_trip(&db.pool, other).await.id;
    webhook(&db.pool, "aquote-1", 2).await;
    let shared = row(&db.pool, "aquote-1").await;
    let updated = tracking.update_quote(younger, &update(shared)).await.unwrap();
    assert_eq!(updated.quotes_received_count, 1);
}
