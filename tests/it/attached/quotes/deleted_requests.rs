//! Users delete a request and enter the same trip again: its quotes are shown under the new request.

use avinode_ingest::jobs::maintenance;
use uuid::Uuid;

use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::{receive, store_deliveries};
use crate::support::sessions::view;
use crate::support::snapshot::dead_jobs;
use crate::support::worker::{run_jobs, worker};
use crate::support::worker_pool::WorkerPool;

const TRIP: &str = "atrip-77";

/// Enters a trip as the application does: a request, a conversation, and a session of both. Returns the session and the request.
async fn enter(db: &Db, with_request: bool) -> (Uuid, Uuid) {
    let (request, conversation, session) = (Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7());
    let its_request = if with_request {
        format!("'{request}'")
    } else {
        "NULL".to_owned()
    };
    db.run(&format!(
        "INSERT INTO public.requests (id, iso_agent_id, departure_airport, arrival_airport, departure_date, passengers)
         VALUES ('{request}', '01000000-0000-4000-8000-000000000001', 'KTEB', 'KOPF', now() + interval '9 days', 4);
         INSERT INTO public.conversations (id, request_id) VALUES ('{conversation}', '{request}');
         INSERT INTO public.chat_sessions (id, conversation_id, request_id, iso_agent_id, avinode_trip_id, session_started_at,
            last_activity_at, created_at, updated_at)
         VALUES ('{session}', '{conversation}', {its_request}, '01000000-0000-4000-8000-000000000001', '{TRIP}', now(), now(),
            now(), now())"
    ))
    .await;
    (session, request)
}

/// Deletes a session and its request, in the order that the foreign keys require here.
async fn delete(db: &Db, session: Uuid, request: Uuid) {
    db.run(&format!(
        "DELETE FROM public.chat_sessions WHERE id = '{session}';
         DELETE FROM public.requests WHERE id = '{request}'"
    ))
    .await;
}

fn body(number: i64, seconds: i64) -> serde_json::Value {
    let (event, id) = (format!("evt-{number}-{seconds}"), format!("aquote-{number}"));
    quote(
        &event,
        TRIP,
        "arfq-1",
        &id,
        seconds,
        &format!("{}", 9_000 + seconds),
        "USD",
    )
}

/// The rows of a request: their ids and prices.
async fn rows(db: &Db, request: Uuid) -> String {
    let rows: Option<String> = sqlx::query_scalar(
        "SELECT string_agg(concat_ws(' ', avinode_quote_id, total_price), ', ' ORDER BY avinode_quote_id)
         FROM public.quotes WHERE request_id = $1",
    )
    .bind(request)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    rows.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_that_was_deleted_and_entered_again_has_all_its_quotes() {
    let db = Db::attached().await;
    let (mut session, mut request) = enter(&db, true).await;
    run_jobs(&db.pool).await;
    receive(&db.pool, &[body(1, 1), body(2, 2), body(3, 3)]).await;
    for round in 0..3 {
        delete(&db, session, request).await;
        run_jobs(&db.pool).await;
        if round == 1 {
            // A fact that arrives while there is neither a session nor a request.
            receive(&db.pool, &[body(2, 20)]).await;
        }
        (session, request) = enter(&db, true).await;
        run_jobs(&db.pool).await;
        let found = view(&db.pool, session).await;
        assert_eq!(found.quotes_received_count, 3);
        assert!(found.primary_quote.is_some());
        let second = if round == 0 { "9002.00" } else { "9020.00" };
        assert_eq!(
            rows(&db, request).await,
            format!("aquote-1 9001.00, aquote-2 {second}, aquote-3 9003.00")
        );
    }
    receive(&db.pool, &[body(1, 30)]).await;
    assert!(rows(&db, request).await.starts_with("aquote-1 9030.00"));
    assert_eq!(dead_jobs(&db.pool).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_was_deleted_on_its_own_is_not_shown_again_while_its_request_exists() {
    let db = Db::attached().await;
    let (session, request) = enter(&db, true).await;
    receive(&db.pool, &[body(1, 1), body(2, 2)]).await;
    db.run(&format!(
        "UPDATE public.chat_sessions SET primary_quote_id = NULL WHERE id = '{session}';
         DELETE FROM public.quotes WHERE request_id = '{request}' AND avinode_quote_id = 'aquote-1'"
    ))
    .await;
    receive(&db.pool, &[body(1, 10)]).await;
    let (other, its_request) = enter(&db, true).await;
    run_jobs(&db.pool).await;
    assert_eq!(rows(&db, request).await, "aquote-2 9002.00");
    assert_eq!(rows(&db, its_request).await, "");
    assert_eq!(view(&db.pool, other).await.quotes_received_count, 2);
    // The application inserts a row of its own, with an older price.
    db.run(&format!(
        "INSERT INTO public.quotes (request_id, operator_id, operator_name, base_price, total_price, aircraft_type, avinode_quote_id)
         VALUES ('{request}', 'seller-1', 'A. Seller', 9001, 9001, 'Light Jet', 'aquote-1')"
    ))
    .await;
    receive(&db.pool, &[body(2, 11)]).await;
    assert_eq!(rows(&db, request).await, "aquote-1 9010.00, aquote-2 9011.00");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_resync_shows_the_quotes_once_the_new_session_has_a_request() {
    let db = Db::attached().await;
    let (session, request) = enter(&db, true).await;
    receive(&db.pool, &[body(1, 1)]).await;
    delete(&db, session, request).await;
    let (session, request) = enter(&db, false).await;
    run_jobs(&db.pool).await;
    assert_eq!(view(&db.pool, session).await.quotes_received_count, 1);
    assert_eq!(rows(&db, request).await, "");
    db.run(&format!(
        "UPDATE public.chat_sessions SET request_id = '{request}' WHERE id = '{session}'"
    ))
    .await;
    maintenance::full_round(&db.pool, "a test").await.unwrap();
    run_jobs(&db.pool).await;
    assert_eq!(rows(&db, request).await, "aquote-1 9001.00");
    assert_eq!(view(&db.pool, session).await.primary_quote.as_deref(), Some("aquote-1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn deleting_and_entering_again_while_workers_run_neither_fails_nor_loses_a_quote() {
    const ROUNDS: i64 = 12;
    let db = Db::attached().await;
    let workers = WorkerPool::start(&worker(&db.pool), 3);
    let application = async {
        let mut entered = enter(&db, true).await;
        for _ in 0..ROUNDS {
            delete(&db, entered.0, entered.1).await;
            entered = enter(&db, true).await;
        }
        entered
    };
    let webhooks = async {
        for round in 0..ROUNDS {
            store_deliveries(&db.pool, &[body(round % 4, round), body(4 + round % 3, round)], base()).await;
        }
    };
    let ((session, request), ()) = tokio::join!(application, webhooks);
    workers.finish().await;
    assert_eq!(dead_jobs(&db.pool).await, 0);
    let found = view(&db.pool, session).await;
    assert_eq!(found.quotes_received_count, 7);
    assert!(found.primary_quote.is_some());
    assert_eq!(
        rows(&db, request).await,
        "aquote-0 9008.00, aquote-1 9009.00, aquote-2 9010.00, aquote-3 9011.00, aquote-4 9009.00, aquote-5 9010.00, \
         aquote-6 9011.00"
    );
}
