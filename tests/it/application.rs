//! The application's own writes: they never fail because of us, and nothing of them is lost.

use std::time::{Duration, Instant};

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::election::Policy;
use avinode_ingest::jobs::upkeep;
use avinode_ingest::store::inspect;
use uuid::Uuid;

use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::service::{drain, keep, session, shift};

async fn count(pool: &Pool, query: &'static str) -> i64 {
    sqlx::query_scalar(query).fetch_one(pool).await.unwrap()
}

async fn work(db: &Db) {
    drain(&shift(&db.pool, Policy::Latest, Clock::Fixed(base())), "w").await;
}

async fn counted(db: &Db, session: Uuid) -> i32 {
    inspect::sessions(&db.pool, &[session]).await.unwrap()[0].quotes_received_count
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_succeeds_while_our_tables_are_broken_and_the_sweep_makes_up_for_it() {
    let db = Db::attached().await;
    let session = session(&db.pool, None).await;
    keep(
        &db.pool,
        &[quote("evt-1", "NEWTRIP", "arfq-1", "aquote-1", 0, "9000", "USD")],
        base(),
    )
    .await;
    work(&db).await;
    for table in ["jobs", "session_state"] {
        db.run(&format!("ALTER TABLE avinode_ingest.{table} RENAME TO mislaid"))
            .await;
        db.run(&format!(
            "UPDATE public.chat_sessions SET avinode_trip_id = 'newtrip' WHERE id = '{session}';
             UPDATE public.chat_sessions SET primary_quote_id = '04000000-0000-4000-8000-000000000004' WHERE id = '{session}'"
        ))
        .await;
        db.run(&format!("ALTER TABLE avinode_ingest.mislaid RENAME TO {table}"))
            .await;
    }
    assert_eq!(counted(&db, session).await, 0);
    upkeep::turn(&db.pool, "a test", Duration::from_secs(60), false)
        .await
        .unwrap();
    work(&db).await;
    assert_eq!(counted(&db, session).await, 1);
    let pinned = "SELECT count(*) FROM avinode_ingest.session_state AS state
        JOIN public.chat_sessions AS session ON session.id = state.session_id
        WHERE pinned AND session.primary_quote_id = '04000000-0000-4000-8000-000000000004'";
    assert_eq!(count(&db.pool, pinned).await, 1);
    // An unpinning that went unnoticed is found as well.
    db.run("ALTER TABLE avinode_ingest.session_state RENAME TO mislaid")
        .await;
    db.run(&format!(
        "UPDATE public.chat_sessions SET primary_quote_id = NULL WHERE id = '{session}'"
    ))
    .await;
    db.run("ALTER TABLE avinode_ingest.mislaid RENAME TO session_state; DELETE FROM avinode_ingest.jobs")
        .await;
    upkeep::turn(&db.pool, "a test", Duration::from_secs(60), false)
        .await
        .unwrap();
    work(&db).await;
    let found = inspect::sessions(&db.pool, &[session]).await.unwrap();
    assert_eq!(found[0].primary_quote.as_deref(), Some("aquote-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_with_everything_that_we_remember_of_it() {
    let db = Db::attached().await;
    let session = session(&db.pool, Some("NEWTRIP")).await;
    keep(
        &db.pool,
        &[quote("evt-1", "NEWTRIP", "arfq-1", "aquote-1", 0, "9000", "USD")],
        base(),
    )
    .await;
    work(&db).await;
    assert_eq!(counted(&db, session).await, 1);
    db.run(&format!("DELETE FROM public.chat_sessions WHERE id = '{session}'"))
        .await;
    work(&db).await;
    let left =
        "SELECT (SELECT count(*) FROM avinode_ingest.dead_jobs) + (SELECT count(*) FROM avinode_ingest.timeline)";
    assert_eq!(count(&db.pool, left).await, 0);
    // Its job may come after it.
    db.run(&format!(
        "INSERT INTO avinode_ingest.jobs (kind, key) VALUES ('rematch', '{session}')"
    ))
    .await;
    work(&db).await;
    assert_eq!(count(&db.pool, left).await, 0);
}

const SESSIONS: i64 = 10_000;

#[tokio::test(flavor = "multi_thread")]
async fn trip_ids_written_to_many_sessions_at_once_are_all_matched() {
    let db = Db::attached().await;
    keep(
        &db.pool,
        &[quote("evt-1", "M7", "arfq-1", "aquote-1", 0, "9000", "USD")],
        base(),
    )
    .await;
    work(&db).await;
    db.run(&format!(
        "SET ROLE service_role;
         INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, session_started_at, last_activity_at, created_at,
             updated_at, current_step)
         SELECT '03000000-0000-4000-8000-000000000006', '01000000-0000-4000-8000-000000000002', now(), now(), now(), now(),
             n::text
         FROM generate_series(1, {SESSIONS}) AS n"
    ))
    .await;
    let begun = Instant::now();
    db.run("SET ROLE service_role; UPDATE public.chat_sessions SET avinode_trip_id = 'm' || current_step WHERE current_step ~ '^[0-9]+$'")
        .await;
    let written = begun.elapsed();
    let jobs = "SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'rematch'";
    assert_eq!(count(&db.pool, jobs).await, SESSIONS);
    let begun = Instant::now();
    let shift = shift(&db.pool, Policy::Latest, Clock::Fixed(base()));
    tokio::join!(drain(&shift, "v"), drain(&shift, "w"));
    println!(
        "{SESSIONS} sessions: written in {written:?}, matched in {:?}",
        begun.elapsed()
    );
    assert_eq!(count(&db.pool, jobs).await, 0);
    let matched = "SELECT count(*) FROM avinode_ingest.session_state WHERE matched_trip ~ '^M[0-9]+$'";
    assert_eq!(count(&db.pool, matched).await, SESSIONS);
    let counted = "SELECT sum(quotes_received_count) FROM public.chat_sessions WHERE avinode_trip_id = 'm7'";
    assert_eq!(count(&db.pool, counted).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn upserts_odd_trip_ids_and_strict_transactions_of_the_application_go_through() {
    let db = Db::attached().await;
    let upsert = "SET ROLE service_role;
         INSERT INTO public.chat_sessions (id, conversation_id, iso_agent_id, session_started_at, last_activity_at,
             created_at, updated_at, avinode_trip_id, primary_quote_id)
         VALUES ('06000000-0000-4000-8000-0000000000aa', '03000000-0000-4000-8000-000000000006',
             '01000000-0000-4000-8000-000000000002', now(), now(), now(), now(), 'newtrip', NULL)
         ON CONFLICT (id) DO UPDATE
         SET avinode_trip_id = EXCLUDED.avinode_trip_id, primary_quote_id = '04000000-0000-4000-8000-000000000004'";
    db.run(upsert).await;
    work(&db).await;
    db.run(upsert).await;
    db.run(&format!("BEGIN ISOLATION LEVEL SERIALIZABLE; {upsert}; COMMIT"))
        .await;
    work(&db).await;
    let pinned = "SELECT count(*) FROM avinode_ingest.session_state
        WHERE pinned AND matched_trip = 'NEWTRIP' AND session_id = '06000000-0000-4000-8000-0000000000aa'";
    assert_eq!(count(&db.pool, pinned).await, 1);
    // Too long for an entry of an index, and too odd to be compressed into one: no trip's id, and no error.
    db.run("DROP INDEX public.idx_chat_sessions_avinode_trip").await;
    db.run(
        "UPDATE public.chat_sessions
         SET avinode_trip_id = (SELECT string_agg(md5(n::text), '' ORDER BY n) FROM generate_series(1, 400) AS n)
         WHERE id = '06000000-0000-4000-8000-0000000000aa'",
    )
    .await;
    work(&db).await;
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.dead_jobs").await,
        0
    );
}
