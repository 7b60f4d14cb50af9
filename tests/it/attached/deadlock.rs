//! A worker gives way if it and the application would wait for each other (invariant 9).

use std::time::Duration;

use avinode_ingest::store::resync;
use sqlx::{Postgres, Transaction};
use uuid::Uuid;

use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::pool::Pool;
use crate::support::race::delay_one_side;
use crate::support::sessions::SessionBuilder;
use crate::support::snapshot::dead_jobs;
use crate::support::sql::count;
use crate::support::worker::worker;
use crate::support::worker_pool::WorkerPool;

/// A statement of the application's on one session.
type Touch = &'static str;
const WRITE: Touch = "UPDATE public.chat_sessions SET message_count = message_count + 1 WHERE id = $1";
/// Stronger than the lock of a write: it blocks even a foreign key reference to the session.
const HOLD: Touch = "SELECT FROM public.chat_sessions WHERE id = $1 FOR UPDATE";

async fn lock(pool: &Pool, touch: Touch, session: Uuid) -> Transaction<'static, Postgres> {
    let mut tx = pool.application().await;
    sqlx::query(touch).bind(session).execute(&mut *tx).await.unwrap();
    tx
}

/// Sessions by id. The application holds all but the first, in transactions that end one after the other; the one that holds
/// the last wants the first. Postgres looks for a deadlock victim once the application has waited for a second: by then, our
/// transaction that holds the first must not wait itself, however many short waits it has had.
async fn the_application_gets_through(pool: &Pool, sessions: &[Uuid], touch: Touch, ours: impl Future<Output = ()>) {
    let mut last = lock(pool, touch, sessions[5]).await;
    let mut others = Vec::new();
    for session in &sessions[1..5] {
        others.push(lock(pool, touch, *session).await);
    }
    let first = sessions[0];
    let application = async move {
        // Ours has begun: if it holds the first session and waits for the second, the application waits for ours.
        delay_one_side(Duration::from_millis(100)).await;
        sqlx::query(touch).bind(first).execute(&mut *last).await?;
        last.commit().await
    };
    let ends = async move {
        delay_one_side(Duration::from_millis(100)).await;
        for (place, other) in others.into_iter().enumerate() {
            let wait = if place == 0 { 150 } else { 250 };
            delay_one_side(Duration::from_millis(wait)).await;
            other.commit().await.unwrap();
        }
    };
    let (application, (), ()) = tokio::join!(application, ends, ours);
    application.unwrap();
}

async fn six_sessions(db: &Db) -> Vec<Uuid> {
    let mut sessions = Vec::new();
    for _ in 0..6 {
        sessions.push(SessionBuilder::of_trip("atrip-1").insert(&db.pool).await);
    }
    sessions.sort();
    WorkerPool::start(&worker(&db.pool), 1).finish().await;
    sessions
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_worker_that_waits_for_several_locks_gives_way_before_the_deadlock_timeout_of_the_application() {
    let db = Db::new().await;
    let sessions = six_sessions(&db).await;
    let received = quote("e1", "atrip-1", "arfq-1", "q1", 0, "10000", "USD");
    store_deliveries(&db.pool, &[received], base()).await;
    let worker = async {
        WorkerPool::start(&worker(&db.pool), 1).finish().await;
    };
    the_application_gets_through(&db.pool, &sessions, WRITE, worker).await;
    assert_eq!(dead_jobs(&db.pool).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_resync_waits_for_no_session_that_the_application_has_locked() {
    let db = Db::new().await;
    let sessions = six_sessions(&db).await;
    // Pins without a primary: undone past the triggers.
    db.run("UPDATE avinode_ingest.session_state SET pinned = true").await;
    let resync = async {
        let _ = resync::find_missed_sessions(&db.pool).await;
    };
    the_application_gets_through(&db.pool, &sessions, WRITE, resync).await;
    // Locked sessions are left to the next resync.
    resync::find_missed_sessions(&db.pool).await.unwrap();
    assert_eq!(pinned(&db.pool).await, 0);

    // And primary quotes that were written without the triggers, in sessions without a state.
    db.run(
        "INSERT INTO public.quotes (id) VALUES ('04000000-0000-4000-8000-000000000099');
         SET avinode_ingest.writer = 'on';
         UPDATE public.chat_sessions SET primary_quote_id = '04000000-0000-4000-8000-000000000099';
         DELETE FROM avinode_ingest.session_state",
    )
    .await;
    let resync = async {
        let _ = resync::find_missed_sessions(&db.pool).await;
    };
    the_application_gets_through(&db.pool, &sessions, HOLD, resync).await;
    resync::find_missed_sessions(&db.pool).await.unwrap();
    assert_eq!(pinned(&db.pool).await, 6);
}

async fn pinned(pool: &Pool) -> i64 {
    count(pool, "SELECT count(*) FROM avinode_ingest.session_state WHERE pinned").await
}

const TRIPS: usize = 10;
const SESSIONS: u32 = 400;

/// In another order each time, with a trip and a quote of the application's choice.
const EVERYWHERE: &str = "
    WITH chosen AS MATERIALIZED (
        SELECT id, row_number() OVER () AS place FROM public.chat_sessions ORDER BY md5(id::text || $1)
    )
    UPDATE public.chat_sessions AS session
    SET message_count = message_count + 1,
        avinode_trip_id = 'atrip-' || (place + $1::int) % 10,
        primary_quote_id = CASE WHEN place % 3 = 0 THEN (SELECT min(id::text)::uuid FROM public.quotes) END
    FROM chosen WHERE session.id = chosen.id";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn statements_of_the_application_over_all_sessions_succeed_during_applies_and_resyncs() {
    let db = Db::new().await;
    let first = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    let more =
        "INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, request_id, avinode_trip_id, message_count)
        SELECT conversation_id, iso_agent_id, request_id, 'atrip-' || n % 10, 0
        FROM public.chat_sessions, generate_series(2, $2) AS n WHERE id = $1";
    let more = sqlx::query(more).bind(first).bind(i64::from(SESSIONS));
    more.execute(&db.pool).await.unwrap();
    let workers = WorkerPool::start(&worker(&db.pool), 3);
    let application = async {
        for round in 0..5_u64 {
            let mut tx = db.pool.application().await;
            sqlx::raw_sql("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off")
                .execute(&mut *tx)
                .await
                .unwrap();
            let written = sqlx::query(EVERYWHERE).bind(round.to_string()).execute(&mut *tx).await;
            assert_eq!(written.unwrap().rows_affected(), u64::from(SESSIONS) - 20 * round);
            tx.commit().await.unwrap();
            // And some are deleted, with their state.
            let deleted = "DELETE FROM public.chat_sessions
                WHERE id IN (SELECT id FROM public.chat_sessions ORDER BY md5(id::text) LIMIT 20)";
            sqlx::query(deleted).execute(&db.pool).await.unwrap();
        }
    };
    let deliveries = async {
        for round in 0..20 {
            let bodies: Vec<_> = (0..TRIPS)
                .map(|number| {
                    let (trip, rfq) = (format!("atrip-{number}"), format!("arfq-{number}"));
                    let (event, id) = (
                        format!("evt-{number}-{round}"),
                        format!("aquote-{number}-{}", round / 10),
                    );
                    quote(&event, &trip, &rfq, &id, round, "10000", "USD")
                })
                .collect();
            store_deliveries(&db.pool, &bodies, base()).await;
            // A resync that meets a lock gives way.
            let _ = resync::find_missed_sessions(&db.pool).await;
            delay_one_side(Duration::from_millis(20)).await;
        }
    };
    tokio::join!(application, deliveries);
    workers.finish().await;
    assert_eq!(dead_jobs(&db.pool).await, 0);
    let missing = "SELECT count(*) FROM public.chat_sessions AS session
         JOIN avinode_ingest.quote_facts AS fact ON fact.trip_key = avinode_ingest.normal_trip_id(session.avinode_trip_id)
         WHERE NOT EXISTS (SELECT FROM avinode_ingest.ledger AS entry
             WHERE entry.session_id = session.id AND entry.quote_id = fact.quote_id)";
    assert_eq!(count(&db.pool, missing).await, 0);
}
