//! A pinned primary quote stays (guarantee 7); an unpinned one is replaced when it expires or its row is deleted.

use avinode_ingest::clock::Clock;
use chrono::Duration;
use uuid::Uuid;

use crate::support::bodies::{at, base, decline, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::pool::Pool;
use crate::support::sessions::{SessionBuilder, quote_count, view};
use crate::support::snapshot::{dead_jobs, live_jobs};
use crate::support::sql::count;
use crate::support::worker::{run_until_idle, worker_at};

const TRIP: &str = "atrip-1";

/// A quote of ten thousand dollars, with an RFQ of its own, valid until `until`.
fn quote_body(name: &str, seconds: i64, until: Option<i64>) -> serde_json::Value {
    let mut body = quote_of(TRIP, name, seconds);
    if let Some(until) = until {
        body["data"]["quote"]["validUntil"] = at(until).into();
    }
    body
}

/// Receives bodies and runs all jobs, with this time as the present.
async fn receive_at(pool: &Pool, seconds: i64, bodies: &[serde_json::Value]) {
    let now = base() + Duration::seconds(seconds);
    store_deliveries(pool, bodies, now).await;
    run_until_idle(&worker_at(pool, Clock::Fixed(now))).await;
}

/// Writes a session's primary quote as the application does: a projected quote, or NULL.
async fn choose(pool: &Pool, session: Uuid, name: Option<&str>) {
    sqlx::query(
        "UPDATE public.chat_sessions SET primary_quote_id = (SELECT id FROM public.quotes WHERE avinode_quote_id = $2)
         WHERE id = $1",
    )
    .bind(session)
    .bind(name)
    .execute(pool)
    .await
    .unwrap();
}

async fn make_expiries_due(pool: &Pool) {
    sqlx::query("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() WHERE kind = 'quote_expiry'")
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_quote_that_the_application_wrote_survives_newer_quotes_declines_and_expiry() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    receive_at(&db.pool, 1, &[quote_body("q1", 1, Some(60)), quote_body("q2", 2, None)]).await;
    assert_eq!(view(&db.pool, session).await.primary_quote.as_deref(), Some("q2"));
    choose(&db.pool, session, Some("q1")).await;
    receive_at(&db.pool, 3, &[quote_body("q3", 3, None)]).await;
    assert_eq!(
        view(&db.pool, session).await.primary_quote.as_deref(),
        Some("q1"),
        "a newer quote"
    );
    receive_at(&db.pool, 4, &[decline("evt-d", TRIP, "arfq-q1", 4)]).await;
    assert_eq!(
        view(&db.pool, session).await.primary_quote.as_deref(),
        Some("q1"),
        "its decline"
    );
    make_expiries_due(&db.pool).await;
    receive_at(&db.pool, 60, &[]).await;
    assert_eq!(
        view(&db.pool, session).await.primary_quote.as_deref(),
        Some("q1"),
        "its expiry"
    );
    let expired = "SELECT count(*) FROM avinode_ingest.timeline WHERE kind = 'quote_expired'";
    assert_eq!(count(&db.pool, expired).await, 1);
    choose(&db.pool, session, None).await;
    receive_at(&db.pool, 61, &[]).await;
    assert_eq!(
        view(&db.pool, session).await.primary_quote.as_deref(),
        Some("q3"),
        "NULL unpins"
    );
    receive_at(&db.pool, 62, &[quote_body("q4", 62, None)]).await;
    assert_eq!(
        view(&db.pool, session).await.primary_quote.as_deref(),
        Some("q4"),
        "and it stays unpinned"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_inserted_with_a_primary_quote_is_pinned() {
    let db = Db::new().await;
    let first = SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    receive_at(&db.pool, 1, &[quote_body("q1", 1, None), quote_body("q2", 2, None)]).await;
    let made: Uuid = sqlx::query_scalar(
        "INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, avinode_trip_id, primary_quote_id)
         SELECT conversation_id, iso_agent_id, avinode_trip_id,
            (SELECT id FROM public.quotes WHERE avinode_quote_id = 'q1')
         FROM public.chat_sessions WHERE id = $1 RETURNING id",
    )
    .bind(first)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    receive_at(&db.pool, 3, &[quote_body("q3", 3, None)]).await;
    assert_eq!(view(&db.pool, made).await.primary_quote.as_deref(), Some("q1"));
    assert_eq!(view(&db.pool, first).await.primary_quote.as_deref(), Some("q3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_quote_is_replaced_even_if_the_workers_clock_is_behind_the_databases() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    receive_at(&db.pool, 1, &[quote_body("q1", 1, None), quote_body("q2", 2, Some(60))]).await;
    assert_eq!(view(&db.pool, session).await.primary_quote.as_deref(), Some("q2"));
    make_expiries_due(&db.pool).await;
    // The job is due by the database's clock, and one second early by the worker's clock.
    receive_at(&db.pool, 59, &[]).await;
    assert_eq!(view(&db.pool, session).await.primary_quote.as_deref(), Some("q2"));
    assert_eq!(
        live_jobs(&db.pool).await,
        0,
        "the job is scheduled again for a later time"
    );
    make_expiries_due(&db.pool).await;
    receive_at(&db.pool, 60, &[]).await;
    assert_eq!(view(&db.pool, session).await.primary_quote.as_deref(), Some("q1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_expiry_job_of_an_older_fact_does_not_expire_an_extended_quote() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    receive_at(&db.pool, 1, &[quote_body("q1", 1, None), quote_body("q2", 2, Some(60))]).await;
    receive_at(&db.pool, 3, &[quote_body("q2", 3, Some(90))]).await;
    make_expiries_due(&db.pool).await;
    receive_at(&db.pool, 60, &[]).await;
    let scheduled = "SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'quote_expiry'";
    assert_eq!(count(&db.pool, scheduled).await, 1);
    assert_eq!(view(&db.pool, session).await.primary_quote.as_deref(), Some("q2"));
    make_expiries_due(&db.pool).await;
    receive_at(&db.pool, 90, &[]).await;
    assert_eq!(view(&db.pool, session).await.primary_quote.as_deref(), Some("q1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_row_of_the_primary_quote_blocks_no_later_event() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip(TRIP).insert(&db.pool).await;
    receive_at(&db.pool, 1, &[quote_body("q1", 1, None)]).await;
    assert_eq!(view(&db.pool, session).await.primary_quote.as_deref(), Some("q1"));
    db.run("DELETE FROM public.quotes").await;
    receive_at(&db.pool, 2, &[crate::support::bodies::message("evt-m", TRIP, "m1", 2)]).await;
    assert_eq!((live_jobs(&db.pool).await, dead_jobs(&db.pool).await), (0, 0));
    assert_eq!(
        view(&db.pool, session).await.primary_quote,
        None,
        "the deleted row is not inserted again"
    );
    receive_at(&db.pool, 3, &[quote_body("q1", 3, None)]).await;
    assert_eq!(
        view(&db.pool, session).await.primary_quote,
        None,
        "not even after a newer fact of the quote"
    );
    assert_eq!(quote_count(&db.pool, session).await, 1);
}
