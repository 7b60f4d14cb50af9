//! The pages that applying touches, in proportion to the events: neither the number of trips, nor the quotes of a trip, nor the
//! statistics of tables that were empty make it read more.

use std::sync::Arc;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::jobs::registry;
use avinode_ingest::queue::claim_by_kind::ClaimByKind;
use avinode_ingest::queue::worker::Worker;
use avinode_ingest::store::session_changes::SessionChanges;
use serde_json::Value;

use crate::support::PATIENCE;
use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::eventually;
use crate::support::pool::Pool;
use crate::support::sessions::SessionReferences;

/// The trips with events.
const TRIPS: i64 = 200;
const PAGES: &str =
    "SELECT coalesce(sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0)), 0)::bigint
    FROM pg_statio_user_tables";
const CONNECTIONS: &str = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()";

/// A quote of each of the trips.
fn quotes(round: i64) -> Vec<Value> {
    let body = |trip: i64| {
        let name = format!("{round}-{trip}");
        let (event, rfq, id) = (format!("evt-{name}"), format!("arfq-{name}"), format!("aquote-{name}"));
        quote(&event, &format!("atrip-{trip}"), &rfq, &id, round, "10000", "USD")
    };
    (1..=TRIPS).map(body).collect()
}

/// Applies these events, and returns the pages that were touched for each.
async fn pages_per_event(db: &Db, bodies: &[Value]) -> i64 {
    let known: Vec<i32> = sqlx::query_scalar(CONNECTIONS).fetch_all(&db.pool).await.unwrap();
    let storing = Pool::new(db.options.clone(), 1);
    store_deliveries(&storing, bodies, base()).await;
    storing.close().await;
    until_only(db, &known).await;
    let before: i64 = sqlx::query_scalar(PAGES).fetch_one(&db.pool).await.unwrap();
    let (own, leases) = (db.pool.service().sibling_by_index(1), db.pool.service().sibling(1));
    let handlers = registry::handlers(
        &own,
        PrimaryQuotePolicy::Latest,
        Clock::Fixed(base()),
        &SessionChanges::default(),
    );
    let worker = Arc::new(Worker::new(own.clone(), leases.clone(), ClaimByKind::new(handlers)));
    while worker.step("w").await.unwrap().jobs > 0 {}
    own.close().await;
    leases.close().await;
    until_only(db, &known).await;
    let after: i64 = sqlx::query_scalar(PAGES).fetch_one(&db.pool).await.unwrap();
    (after - before) / bodies.len() as i64
}

/// Waits until the other connections have ended: the server counts a connection's reads at the latest then, and else some seconds later.
async fn until_only(db: &Db, known: &[i32]) {
    eventually(PATIENCE, "the connections have ended", async || {
        let open: Vec<i32> = sqlx::query_scalar(CONNECTIONS).fetch_all(&db.pool).await.unwrap();
        let left = open.iter().filter(|pid| !known.contains(pid)).count();
        if left == 0 { Ok(()) } else { Err(left) }
    })
    .await;
}

/// A database with the statistics of empty tables, and sessions of so many trips.
async fn with_sessions(trips: i64) -> Db {
    let db = Db::new().await.without_autovacuum().await;
    db.run("ANALYZE").await;
    let references = SessionReferences::insert(&db.pool).await;
    let agent = references.agent;
    db.run(&format!(
        "SET session_replication_role = replica;
         INSERT INTO public.requests (id, iso_agent_id, departure_airport, arrival_airport, departure_date, passengers)
         SELECT md5('request' || n)::uuid, '{agent}', 'KTEB', 'KPBI', now() + interval '14 days', 4
         FROM generate_series(1, {trips}) AS n;
         INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, request_id, avinode_trip_id)
         SELECT md5('conversation' || n)::uuid, '{agent}', md5('request' || n)::uuid, 'atrip-' || n
         FROM generate_series(1, {trips}) AS n"
    ))
    .await;
    db
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_touches_as_many_pages_among_a_hundred_thousand_trips_as_among_a_thousand() {
    let mut touched = Vec::new();
    for trips in [1_000, 100_000] {
        let db = with_sessions(trips).await;
        // The first event of a trip compares its session with everything.
        pages_per_event(&db, &quotes(0)).await;
        touched.push(pages_per_event(&db, &quotes(1)).await);
    }
    println!("pages for each event: {touched:?} among a thousand and a hundred thousand trips");
    // The indexes are a level deeper.
    assert!(touched[0] <= 300 && touched[1] * 10 <= touched[0] * 14, "{touched:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_a_trip_with_many_quotes_touches_as_many_pages_as_the_earlier_ones() {
    let db = with_sessions(1_000).await;
    let several = |rounds: std::ops::Range<i64>| rounds.flat_map(quotes).collect::<Vec<_>>();
    // The first ones fill the tables, so that the indexes are as deep as later.
    pages_per_event(&db, &several(0..8)).await;
    let few = pages_per_event(&db, &quotes(8)).await;
    pages_per_event(&db, &several(9..40)).await;
    let many = pages_per_event(&db, &quotes(40)).await;
    println!("pages for each event: {few} with eight quotes a trip, {many} with forty");
    assert!(many * 10 <= few * 13, "{few} {many}");
}
