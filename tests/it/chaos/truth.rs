//! Holds the database against what was acknowledged, and the sessions against the model.

use std::collections::BTreeMap;
use std::time::Duration;

use avinode_ingest::cli::replay::wait_idle::wait_until_settled;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::model::{ExpectedSession, TRIPS, trip_id};
use super::senders::Sending;
use crate::support::PATIENCE;
use crate::support::eventually::{equal, eventually};
use crate::support::pool::Pool;
use crate::support::sessions::SessionBuilder;
use crate::support::snapshot::dead_reasons;
use crate::support::sql::count;

/// Inserts the sessions of the model.
pub async fn insert_sessions(pool: &Pool) -> Vec<Uuid> {
    let mut sessions = Vec::new();
    for trip in 0..TRIPS {
        sessions.push(SessionBuilder::of_trip(&trip_id(trip)).insert(pool).await);
    }
    sessions
}

/// Sends a new event, and returns the time until it is acknowledged and applied.
pub async fn recovered(sending: &Sending, pool: &Pool) -> Duration {
    let began = Instant::now();
    let delivery = timeout(PATIENCE, sending.send_next()).await;
    let delivery = delivery.expect("a delivery is acknowledged after the fault");
    eventually(PATIENCE, "a delivery is applied after the fault", async || {
        let done = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM avinode_ingest.outcomes WHERE delivery_id = $1");
        match done.bind(delivery).fetch_one(pool).await {
            Ok(1) => Ok(()),
            _ => Err(queue(pool).await),
        }
    })
    .await;
    began.elapsed()
}

/// The state of the queue, for a failure's message.
async fn queue(pool: &Pool) -> Result<(i64, i64, i64, i64), String> {
    let state =
        "SELECT count(*), count(*) FILTER (WHERE due_at <= now()), count(lease_token), count(*) FILTER (WHERE isolated)
        FROM avinode_ingest.jobs";
    let state = sqlx::query_as(state).fetch_one(pool).await;
    state.map_err(|error| error.to_string())
}

/// Holds the database against the answers and the model.
pub async fn check(sending: &Sending, pool: &Pool, sessions: &[Uuid]) {
    wait_until_settled(pool, PATIENCE).await.unwrap();
    let acknowledged = sending.acknowledged.lock().unwrap().clone();
    let found: i64 = sqlx::query_scalar("SELECT count(*) FROM avinode_ingest.deliveries WHERE id = ANY ($1)")
        .bind(&acknowledged)
        .fetch_one(pool)
        .await
        .unwrap();
    assert_eq!(
        usize::try_from(found).unwrap(),
        acknowledged.len(),
        "acknowledged and not kept"
    );
    assert_eq!(dead_reasons(pool).await, Vec::<String>::new());
    let (events, expected) = {
        let model = sending.model.lock().unwrap();
        (model.events(), model.expected())
    };
    let keys = count(pool, "SELECT count(*) FROM avinode_ingest.event_keys").await;
    assert_eq!(u64::try_from(keys).unwrap(), events, "events are known once each");
    for (session, expected) in sessions.iter().zip(expected) {
        assert_eq!(shown(pool, *session).await, (expected.quotes.len(), expected));
    }
    // A worker that was believed dead may still notice that its lease is gone.
    eventually(PATIENCE, "no job is leased", async || {
        let leased = "SELECT count(*) FROM avinode_ingest.jobs WHERE lease_token IS NOT NULL";
        equal(count(pool, leased).await, 0)
    })
    .await;
}

/// The count of a session, and its quotes.
async fn shown(pool: &Pool, session: Uuid) -> (usize, ExpectedSession) {
    let (counted, primary): (i32, Option<String>) = sqlx::query_as(
        "SELECT s.quotes_received_count, q.avinode_quote_id
         FROM public.chat_sessions s LEFT JOIN public.quotes q ON q.id = s.primary_quote_id WHERE s.id = $1",
    )
    .bind(session)
    .fetch_one(pool)
    .await
    .unwrap();
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT q.avinode_quote_id, q.total_price::bigint
         FROM public.quotes q JOIN public.chat_sessions s ON s.request_id = q.request_id WHERE s.id = $1",
    )
    .bind(session)
    .fetch_all(pool)
    .await
    .unwrap();
    let number = rows.len();
    let quotes: BTreeMap<String, u64> = rows
        .into_iter()
        .map(|(id, dollars)| (id, u64::try_from(dollars).unwrap()))
        .collect();
    assert_eq!(quotes.len(), number, "a quote has one row");
    (usize::try_from(counted).unwrap(), ExpectedSession { quotes, primary })
}
