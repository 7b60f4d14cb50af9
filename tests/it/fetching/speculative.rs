//! Fetches of trips that only sessions name: an agent may have invented them.

use std::time::Duration;

use avinode_ingest::clock::Clock;
use avinode_ingest::jobs::maintenance;
use serde_json::Value;
use uuid::Uuid;

use super::setup::{Fetching, MESSAGE, fetch_until_idle, fetching_worker, make_due, notify, outcomes, quoted, rfq};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::fake_avinode::FakeAvinode;
use crate::support::pool::Pool;
use crate::support::postgrest::Postgrest;
use crate::support::sessions::{SessionBuilder, SessionReferences, insert_agent};
use crate::support::worker::{run_until_idle, worker_at};

/// Writes this many active sessions with invented trips by one statement, as the agent.
async fn invent(db: &Db, references: &SessionReferences, sessions: i32) {
    let mut agent = Postgrest::before(db).agent(&format!("user_{}", references.agent)).await;
    let done = sqlx::query(
        "INSERT INTO public.chat_sessions (id, conversation_id, iso_agent_id, request_id, current_step, avinode_trip_id,
            session_started_at, last_activity_at, created_at, updated_at)
         SELECT gen_random_uuid(), $1, $2, $3, 'understanding_request', 'atrip-' || 5000000 + number, now(), now(), now(), now()
         FROM generate_series(1, $4) AS number",
    )
    .bind(references.conversation)
    .bind(references.agent)
    .bind(references.request)
    .bind(sessions)
    .execute(&mut *agent)
    .await;
    assert_eq!(done.unwrap().rows_affected(), u64::try_from(sessions).unwrap());
    agent.commit().await.unwrap();
}

/// Waiting fetches of a kind that have an agent, by agent.
async fn of_agents(pool: &Pool, kind: &str) -> Vec<(Uuid, i64)> {
    sqlx::query_as(
        "SELECT batch_key::uuid, count(*) FROM avinode_ingest.jobs WHERE kind = $1 AND batch_key IS NOT NULL GROUP BY 1 ORDER BY 2, 1",
    )
    .bind(kind)
    .fetch_all(pool)
    .await
    .unwrap()
}

async fn rematch_all(pool: &Pool) {
    run_until_idle(&worker_at(pool, Clock::System)).await;
}

/// Claims and serves until all of the trips that were invented are fetched, or given up.
async fn serve_all(fetching: &Fetching, db: &Db) {
    eventually(PATIENCE, "no speculative fetch is left", async || {
        fetching.worker.step("w").await.unwrap();
        equal(of_agents(&db.pool, "fetch_speculative").await, vec![])
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_invented_trips_of_one_agent_queue_fifty_calls_and_another_agents_trip_has_its_own() {
    let (db, stub) = (Db::attached().await, FakeAvinode::start().await);
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 8)).await;
    let mallory = SessionReferences::insert(&db.pool).await;
    let bob = SessionReferences::insert(&db.pool).await;
    rematch_all(&db.pool).await;
    invent(&db, &mallory, 3_000).await;
    rematch_all(&db.pool).await;
    invent(&db, &bob, 1).await; // the same trip as Mallory's first
    sqlx::query("UPDATE public.chat_sessions SET avinode_trip_id = 'atrip-77' WHERE iso_agent_id = $1")
        .bind(bob.agent)
        .execute(&db.pool)
        .await
        .unwrap();
    rematch_all(&db.pool).await;
    assert_eq!(
        of_agents(&db.pool, "fetch_speculative").await,
        [(bob.agent, 1), (mallory.agent, 50)]
    );
    let (later, soonest): (i64, bool) = sqlx::query_as(
        "SELECT count(*), min(due_at - created_at) > interval '9 minutes' FROM avinode_ingest.jobs WHERE kind = 'rematch'",
    )
    .fetch_one(&db.pool)
    .await
    .unwrap();
    assert_eq!((later, soonest), (2_950, true), "the others are looked at again later");

    // Notified resources come first, and leave nothing of the burst of eight to invented trips.
    make_fetches_due(&db).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", Some("arfq-1"), 10_000));
    let rfqs: Vec<String> = (1..8).map(|number| format!("rfqs/arfq-{number}")).collect();
    for resource in &rfqs {
        stub.show(resource, rfq(resource.trim_start_matches("rfqs/"), "A1B2C3"));
    }
    let notified = || rfqs.iter().map(String::as_str).chain([MESSAGE]);
    let notifications: Vec<Value> = notified().map(|resource| stub.thin(resource, Some("A1B2C3"))).collect();
    notify(&db.pool, &notifications).await;
    worker.worker.step("w").await.unwrap();
    let mut first: Vec<String> = stub.calls().into_iter().map(|(_, resource)| resource).collect();
    first.sort();
    assert!(first.iter().map(String::as_str).eq(notified()), "{first:?}");

    // Those whose session goes cost no call.
    let called = |stub: &FakeAvinode| {
        stub.calls()
            .iter()
            .filter(|(_, it)| it.starts_with("trips/atrip-5"))
            .count()
    };
    let before = called(&stub);
    sqlx::query("DELETE FROM public.chat_sessions WHERE iso_agent_id = $1")
        .bind(mallory.agent)
        .execute(&db.pool)
        .await
        .unwrap();
    serve_all(&worker, &db).await;
    assert!(
        called(&stub) - before <= 8,
        "at most those in flight: {}",
        called(&stub) - before
    );
    assert_eq!(stub.count("trips/atrip-77"), 1, "Bob's trip is fetched");
    let pruned = outcomes(&db.pool).await;
    let pruned = pruned
        .iter()
        .filter(|(_, detail)| detail == "no active session has the trip any more");
    assert!(pruned.count() >= 40);
}

/// Makes the speculative fetches due, and leaves the rematches.
async fn make_fetches_due(db: &Db) {
    db.run("UPDATE avinode_ingest.jobs SET due_at = clock_timestamp() WHERE kind = 'fetch_speculative'")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn speculative_fetches_leave_half_of_the_burst_to_notifications_also_while_their_calls_hang() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let worker = fetching_worker(&db.pool, &stub.settings(0.001, 8)).await;
    for trip in 0..20 {
        SessionBuilder::of_trip(&format!("atrip-50000{trip}"))
            .insert(&db.pool)
            .await;
    }
    rematch_all(&db.pool).await;
    make_due(&db.pool).await;
    stub.hold();
    let claims = tokio::spawn({
        let worker = worker.worker.clone();
        async move {
            worker.step("w").await.unwrap();
        }
    });
    stub.called(4).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    notify(&db.pool, &[stub.thin(MESSAGE, Some("A1B2C3"))]).await;
    let second = tokio::spawn({
        let worker = worker.worker.clone();
        async move {
            worker.step("w").await.unwrap();
        }
    });
    stub.called(5).await;
    assert_eq!(stub.calls()[4].1, MESSAGE);
    stub.release();
    claims.await.unwrap();
    second.await.unwrap();
    worker.worker.step("w").await.unwrap();
    assert_eq!(stub.calls().len(), 5, "no further speculative call in the same burst");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_trip_id_is_another_resources_calls_for_no_fetch() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let _worker = fetching_worker(&db.pool, &stub.settings(100.0, 8)).await;
    for id in ["atrip-1", "arfq-1", "asellermsg-1", "aquote-1"] {
        SessionBuilder::of_trip(id).insert(&db.pool).await;
    }
    rematch_all(&db.pool).await;
    let keys: Vec<String> =
        sqlx::query_scalar("SELECT key FROM avinode_ingest.jobs WHERE kind LIKE 'fetch%' OR kind = 'reconcile'")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    assert_eq!(keys, ["atrip-1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reconciling_on_a_schedule_fetches_what_avinode_showed_and_fifty_trips_of_an_agent_that_only_sessions_name() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let agent = insert_agent(&db.pool).await;
    for trip in 0..70 {
        let references = SessionReferences::of_agent(&db.pool, agent).await;
        sqlx::query(
            "INSERT INTO public.chat_sessions (id, conversation_id, iso_agent_id, request_id, current_step, avinode_trip_id,
                session_started_at, last_activity_at, created_at, updated_at)
             VALUES (gen_random_uuid(), $1, $2, $3, 'understanding_request', $4, now(), now(), now(), now())",
        )
        .bind(references.conversation)
        .bind(agent)
        .bind(references.request)
        .bind(format!("atrip-6{trip:04}"))
        .execute(&db.pool)
        .await
        .unwrap();
    }
    // One of them is known by a message, and counts against no bound.
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    notify(&db.pool, &[stub.thin(MESSAGE, Some("atrip-60069"))]).await;
    let worker = fetching_worker(&db.pool, &stub.settings(100.0, 8)).await;
    fetch_until_idle(&worker).await;
    let hour = Duration::from_secs(3600);
    maintenance::reconcile(&db.pool, "one", hour).await.unwrap();
    assert_eq!(of_agents(&db.pool, "reconcile").await, [(agent, 50)]);
    let shown: Vec<String> =
        sqlx::query_scalar("SELECT key FROM avinode_ingest.jobs WHERE kind = 'reconcile' AND batch_key IS NULL")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    assert_eq!(shown, ["atrip-60069"]);
}
