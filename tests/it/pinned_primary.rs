//! A pinned primary quote stays (guarantee 7); an unpinned one is replaced when it expires or its row is deleted.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::store::admin;
use chrono::Duration;
use uuid::Uuid;

use crate::support::bodies::{at, base, decline, quote};
use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::service::{drain, keep, session, shift};
use crate::support::snapshot::{dead_jobs, live_jobs};

const TRIP: &str = "atrip-1";

/// A quote of ten thousand dollars, with an RFQ of its own, valid until `until`.
fn quote_body(name: &str, seconds: i64, until: Option<i64>) -> serde_json::Value {
    let event = format!("evt-{name}-{seconds}");
    let mut body = quote(&event, TRIP, &format!("arfq-{name}"), name, seconds, "10000", "USD");
    if let Some(until) = until {
        body["data"]["quote"]["validUntil"] = at(until).into();
    }
    body
}

async fn receive(pool: &Pool, seconds: i64, bodies: &[serde_json::Value]) {
    let now = base() + Duration::seconds(seconds);
    keep(pool, bodies, now).await;
    drain(&shift(pool, PrimaryQuotePolicy::Latest, Clock::Fixed(now)), "w").await;
}

async fn primary(pool: &Pool, session: Uuid) -> Option<String> {
    admin::sessions(pool, &[session]).await.unwrap().remove(0).primary_quote
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
    let session = session(&db.pool, Some(TRIP)).await;
    receive(&db.pool, 1, &[quote_body("q1", 1, Some(60)), quote_body("q2", 2, None)]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q2"));
    choose(&db.pool, session, Some("q1")).await;
    receive(&db.pool, 3, &[quote_body("q3", 3, None)]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q1"), "a newer quote");
    receive(&db.pool, 4, &[decline("evt-d", TRIP, "arfq-q1", 4)]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q1"), "its decline");
    make_expiries_due(&db.pool).await;
    receive(&db.pool, 60, &[]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q1"), "its expiry");
    let expired: i64 = sqlx::query_scalar("SELECT count(*) FROM avinode_ingest.timeline WHERE kind = 'quote_expired'")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(expired, 1);
    choose(&db.pool, session, None).await;
    receive(&db.pool, 61, &[]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q3"), "NULL unpins");
    receive(&db.pool, 62, &[quote_body("q4", 62, None)]).await;
    assert_eq!(
        primary(&db.pool, session).await.as_deref(),
        Some("q4"),
        "and it stays unpinned"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_inserted_with_a_primary_quote_is_pinned() {
    let db = Db::new().await;
    let first = session(&db.pool, Some(TRIP)).await;
    receive(&db.pool, 1, &[quote_body("q1", 1, None), quote_body("q2", 2, None)]).await;
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
    receive(&db.pool, 3, &[quote_body("q3", 3, None)]).await;
    assert_eq!(primary(&db.pool, made).await.as_deref(), Some("q1"));
    assert_eq!(primary(&db.pool, first).await.as_deref(), Some("q3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_quote_is_replaced_even_if_the_workers_clock_is_behind_the_databases() {
    let db = Db::new().await;
    let session = session(&db.pool, Some(TRIP)).await;
    receive(&db.pool, 1, &[quote_body("q1", 1, None), quote_body("q2", 2, Some(60))]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q2"));
    make_expiries_due(&db.pool).await;
    // The job is due by the database's clock, and one second early by the worker's clock.
    receive(&db.pool, 59, &[]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q2"));
    assert_eq!(
        live_jobs(&db.pool).await,
        0,
        "the job is scheduled again for a later time"
    );
    make_expiries_due(&db.pool).await;
    receive(&db.pool, 60, &[]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_expiry_job_of_an_older_fact_does_not_expire_an_extended_quote() {
    let db = Db::new().await;
    let session = session(&db.pool, Some(TRIP)).await;
    receive(&db.pool, 1, &[quote_body("q1", 1, None), quote_body("q2", 2, Some(60))]).await;
    receive(&db.pool, 3, &[quote_body("q2", 3, Some(90))]).await;
    make_expiries_due(&db.pool).await;
    receive(&db.pool, 60, &[]).await;
    let scheduled: i64 = sqlx::query_scalar("SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'quote_expiry'")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(scheduled, 1);
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q2"));
    make_expiries_due(&db.pool).await;
    receive(&db.pool, 90, &[]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_row_of_the_primary_quote_blocks_no_later_event() {
    let db = Db::new().await;
    let session = session(&db.pool, Some(TRIP)).await;
    receive(&db.pool, 1, &[quote_body("q1", 1, None)]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q1"));
    sqlx::query("DELETE FROM public.quotes")
        .execute(&db.pool)
        .await
        .unwrap();
    receive(&db.pool, 2, &[crate::support::bodies::message("evt-m", TRIP, "m1", 2)]).await;
    assert_eq!((live_jobs(&db.pool).await, dead_jobs(&db.pool).await), (0, 0));
    assert_eq!(
        primary(&db.pool, session).await,
        None,
        "the deleted row is not inserted again"
    );
    receive(&db.pool, 3, &[quote_body("q1", 3, None)]).await;
    assert_eq!(
        primary(&db.pool, session).await,
        None,
        "not even after a newer fact of the quote"
    );
    let found = admin::sessions(&db.pool, &[session]).await.unwrap();
    assert_eq!(found[0].quotes_received_count, 1);
}
