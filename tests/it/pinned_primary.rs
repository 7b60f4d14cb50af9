//! A person's choice stands (invariant 7), and what the application deletes or lets pass takes the primary quote away.

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

/// A quote of ten thousand dollars, with an RFQ of its own, until `until`.
fn quoted(name: &str, seconds: i64, until: Option<i64>) -> serde_json::Value {
    let event = format!("evt-{name}-{seconds}");
    let mut body = quote(&event, TRIP, &format!("arfq-{name}"), name, seconds, "10000", "USD");
    if let Some(until) = until {
        body["data"]["quote"]["validUntil"] = at(until).into();
    }
    body
}

async fn settle(pool: &Pool, seconds: i64, bodies: &[serde_json::Value]) {
    let now = base() + Duration::seconds(seconds);
    keep(pool, bodies, now).await;
    drain(&shift(pool, PrimaryQuotePolicy::Latest, Clock::Fixed(now)), "w").await;
}

async fn primary(pool: &Pool, session: Uuid) -> Option<String> {
    admin::sessions(pool, &[session]).await.unwrap().remove(0).primary_quote
}

/// As the application writes it: a quote that is shown, or NULL.
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
async fn a_primary_that_the_application_wrote_stays_through_newer_quotes_declines_and_expiry() {
    let db = Db::new().await;
    let session = session(&db.pool, Some(TRIP)).await;
    settle(&db.pool, 1, &[quoted("q1", 1, Some(60)), quoted("q2", 2, None)]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q2"));
    choose(&db.pool, session, Some("q1")).await;
    settle(&db.pool, 3, &[quoted("q3", 3, None)]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q1"), "a newer quote");
    settle(&db.pool, 4, &[decline("evt-d", TRIP, "arfq-q1", 4)]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q1"), "its decline");
    make_expiries_due(&db.pool).await;
    settle(&db.pool, 60, &[]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q1"), "its expiry");
    let expired: i64 = sqlx::query_scalar("SELECT count(*) FROM avinode_ingest.timeline WHERE kind = 'quote_expired'")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(expired, 1);
    choose(&db.pool, session, None).await;
    settle(&db.pool, 61, &[]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q3"), "NULL unpins");
    settle(&db.pool, 62, &[quoted("q4", 62, None)]).await;
    assert_eq!(
        primary(&db.pool, session).await.as_deref(),
        Some("q4"),
        "and it stays unpinned"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_made_with_a_primary_is_pinned() {
    let db = Db::new().await;
    let first = session(&db.pool, Some(TRIP)).await;
    settle(&db.pool, 1, &[quoted("q1", 1, None), quoted("q2", 2, None)]).await;
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
    settle(&db.pool, 3, &[quoted("q3", 3, None)]).await;
    assert_eq!(primary(&db.pool, made).await.as_deref(), Some("q1"));
    assert_eq!(primary(&db.pool, first).await.as_deref(), Some("q3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_expires_gives_way_even_where_a_workers_clock_is_behind_the_databases() {
    let db = Db::new().await;
    let session = session(&db.pool, Some(TRIP)).await;
    settle(&db.pool, 1, &[quoted("q1", 1, None), quoted("q2", 2, Some(60))]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q2"));
    make_expiries_due(&db.pool).await;
    // The database says that it is time; by this worker's clock it is a moment too early.
    settle(&db.pool, 59, &[]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q2"));
    assert_eq!(
        live_jobs(&db.pool).await,
        0,
        "it does not spin: the next try lies ahead"
    );
    make_expiries_due(&db.pool).await;
    settle(&db.pool, 60, &[]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_that_a_newer_fact_moved_is_left_to_the_job_of_that_fact() {
    let db = Db::new().await;
    let session = session(&db.pool, Some(TRIP)).await;
    settle(&db.pool, 1, &[quoted("q1", 1, None), quoted("q2", 2, Some(60))]).await;
    settle(&db.pool, 3, &[quoted("q2", 3, Some(90))]).await;
    make_expiries_due(&db.pool).await;
    settle(&db.pool, 60, &[]).await;
    let waiting: i64 = sqlx::query_scalar("SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'quote_expiry'")
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(waiting, 1);
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q2"));
    make_expiries_due(&db.pool).await;
    settle(&db.pool, 90, &[]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quotes_row_that_the_application_deleted_harms_no_later_event() {
    let db = Db::new().await;
    let session = session(&db.pool, Some(TRIP)).await;
    settle(&db.pool, 1, &[quoted("q1", 1, None)]).await;
    assert_eq!(primary(&db.pool, session).await.as_deref(), Some("q1"));
    sqlx::query("DELETE FROM public.quotes")
        .execute(&db.pool)
        .await
        .unwrap();
    settle(&db.pool, 2, &[crate::support::bodies::message("evt-m", TRIP, "m1", 2)]).await;
    assert_eq!((live_jobs(&db.pool).await, dead_jobs(&db.pool).await), (0, 0));
    assert_eq!(
        primary(&db.pool, session).await,
        None,
        "what the application deleted is not made again by itself"
    );
    settle(&db.pool, 3, &[quoted("q1", 3, None)]).await;
    assert_eq!(primary(&db.pool, session).await, None, "nor by news of the quote");
    let found = admin::sessions(&db.pool, &[session]).await.unwrap();
    assert_eq!(found[0].quotes_received_count, 1);
}
