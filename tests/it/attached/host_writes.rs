//! The application's own writes never fail because of us, and no change is missed.

use std::time::{Duration, Instant};

use avinode_ingest::jobs::maintenance;

use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::{receive, store_deliveries};
use crate::support::postgrest::Postgrest;
use crate::support::race::delay_one_side;
use crate::support::sessions::{SessionBuilder, quote_count, view};
use crate::support::snapshot::dead_jobs;
use crate::support::sql::count;
use crate::support::worker::{run_jobs, worker};
use crate::support::worker_pool::WorkerPool;

#[tokio::test(flavor = "multi_thread")]
async fn a_write_succeeds_while_our_tables_are_missing_and_the_resync_finds_the_change() {
    let db = Db::attached().await;
    let session = SessionBuilder::new().insert(&db.pool).await;
    receive(
        &db.pool,
        &[quote("evt-1", "NEWTRIP", "arfq-1", "aquote-1", 0, "9000", "USD")],
    )
    .await;
    for table in ["jobs", "session_state"] {
        db.run(&format!("ALTER TABLE avinode_ingest.{table} RENAME TO renamed_away"))
            .await;
        db.run(&format!(
            "UPDATE public.chat_sessions SET avinode_trip_id = 'newtrip' WHERE id = '{session}';
             UPDATE public.chat_sessions SET primary_quote_id = '04000000-0000-4000-8000-000000000004' WHERE id = '{session}'"
        ))
        .await;
        db.run(&format!("ALTER TABLE avinode_ingest.renamed_away RENAME TO {table}"))
            .await;
    }
    assert_eq!(quote_count(&db.pool, session).await, 0);
    maintenance::full_round(&db.pool, "a test").await.unwrap();
    run_jobs(&db.pool).await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    let pinned = "SELECT count(*) FROM avinode_ingest.session_state AS state
        JOIN public.chat_sessions AS session ON session.id = state.session_id
        WHERE pinned AND session.primary_quote_id = '04000000-0000-4000-8000-000000000004'";
    assert_eq!(count(&db.pool, pinned).await, 1);
    // The resync also finds a missed unpinning.
    db.run("ALTER TABLE avinode_ingest.session_state RENAME TO renamed_away")
        .await;
    db.run(&format!(
        "UPDATE public.chat_sessions SET primary_quote_id = NULL WHERE id = '{session}'"
    ))
    .await;
    db.run("ALTER TABLE avinode_ingest.renamed_away RENAME TO session_state; DELETE FROM avinode_ingest.jobs")
        .await;
    maintenance::full_round(&db.pool, "a test").await.unwrap();
    run_jobs(&db.pool).await;
    assert_eq!(view(&db.pool, session).await.primary_quote.as_deref(), Some("aquote-1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_a_session_deletes_our_rows_about_it() {
    let db = Db::attached().await;
    let session = SessionBuilder::of_trip("NEWTRIP").insert(&db.pool).await;
    receive(
        &db.pool,
        &[quote("evt-1", "NEWTRIP", "arfq-1", "aquote-1", 0, "9000", "USD")],
    )
    .await;
    assert_eq!(quote_count(&db.pool, session).await, 1);
    db.run(&format!("DELETE FROM public.chat_sessions WHERE id = '{session}'"))
        .await;
    run_jobs(&db.pool).await;
    let left =
        "SELECT (SELECT count(*) FROM avinode_ingest.dead_jobs) + (SELECT count(*) FROM avinode_ingest.timeline)";
    assert_eq!(count(&db.pool, left).await, 0);
    // A job of the session may run after the deletion.
    db.run(&format!(
        "INSERT INTO avinode_ingest.jobs (kind, key) VALUES ('rematch', '{session}')"
    ))
    .await;
    run_jobs(&db.pool).await;
    assert_eq!(count(&db.pool, left).await, 0);
}

const SESSIONS: i64 = 50_000;
/// The sessions whose trips get quotes, before the statement and while it runs.
const QUOTED: i64 = 200;
/// The sessions whose rematch the test awaits.
const MATCHED: i64 = 2_000;

fn quotes_of_the_trips(round: i64) -> Vec<serde_json::Value> {
    let one = |n: i64| {
        let (event, rfq, id) = (
            format!("evt-{n}-{round}"),
            format!("arfq-{n}"),
            format!("aquote-{n}-{round}"),
        );
        quote(&event, &format!("M{n}"), &rfq, &id, round, "9000", "USD")
    };
    (1..=QUOTED).map(one).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_statement_over_fifty_thousand_sessions_during_applies_rematches_and_pins_them_all() {
    let db = Db::attached().await;
    let api = Postgrest::before(&db);
    receive(&db.pool, &quotes_of_the_trips(0)).await;
    let mut server = api.server().await;
    let inserted = "INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, session_started_at, last_activity_at,
            created_at, updated_at, current_step)
         SELECT '03000000-0000-4000-8000-000000000006', '01000000-0000-4000-8000-000000000002', now(), now(), now(), now(),
             n::text
         FROM generate_series(1, $1) AS n";
    sqlx::query(inserted)
        .bind(SESSIONS)
        .execute(&mut *server)
        .await
        .unwrap();
    server.commit().await.unwrap();

    let workers = WorkerPool::start(&worker(&db.pool), 2);
    let begun = Instant::now();
    // The quote that every second session gets is not from Avinode.
    let agent = async {
        // The connection updates one session first, so it has cached plans for one row.
        for statement in [
            "UPDATE public.chat_sessions SET avinode_trip_id = 'm1' WHERE current_step = '1'",
            "UPDATE public.chat_sessions SET avinode_trip_id = 'm' || current_step,
                primary_quote_id = CASE WHEN current_step::int % 2 = 0 THEN '04000000-0000-4000-8000-000000000005'::uuid END
             WHERE current_step ~ '^[0-9]+$'",
        ] {
            let mut bob = api.agent("user_bob").await;
            sqlx::query(statement).execute(&mut *bob).await.unwrap();
            bob.commit().await.unwrap();
        }
        begun.elapsed()
    };
    let deliveries = async {
        for round in 1..4 {
            store_deliveries(&db.pool, &quotes_of_the_trips(round), base()).await;
            delay_one_side(Duration::from_millis(500)).await;
        }
    };
    let (written, ()) = tokio::join!(agent, deliveries);
    // Some jobs are done already: a job is deleted in the transaction that writes its outcome.
    let rematches = "SELECT (SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'rematch')
        + (SELECT count(*) FROM avinode_ingest.outcomes WHERE kind = 'rematch')";
    assert_eq!(count(&db.pool, rematches).await, SESSIONS);
    let pinned = "SELECT count(*) FROM avinode_ingest.session_state AS state
        JOIN public.chat_sessions AS session ON session.id = state.session_id
        WHERE pinned AND avinode_trip_id ~ '^m[0-9]+$'";
    assert_eq!(count(&db.pool, pinned).await, SESSIONS / 2);
    // The other sessions have no quotes, so the test does not await their rematch.
    db.run(&format!(
        "DELETE FROM avinode_ingest.jobs WHERE kind = 'rematch' AND lease_token IS NULL AND key NOT IN (
             SELECT id::text FROM public.chat_sessions
             WHERE current_step ~ '^[0-9]+$' AND current_step::int <= {MATCHED}
         )"
    ))
    .await;
    workers.finish().await;
    println!(
        "{SESSIONS} sessions: written in {written:?}, done {:?} after the start",
        begun.elapsed()
    );

    let matched = format!(
        "SELECT count(*) FROM avinode_ingest.session_state AS state
         JOIN public.chat_sessions AS session ON session.id = state.session_id
         WHERE matched_trip ~ '^M[0-9]+$' AND substr(matched_trip, 2)::int <= {MATCHED}"
    );
    let matched: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(matched))
        .fetch_one(&db.pool)
        .await
        .unwrap();
    assert_eq!(matched, MATCHED);
    let chosen = "SELECT count(*) FROM public.chat_sessions WHERE avinode_trip_id ~ '^m[0-9]+$'
        AND primary_quote_id = '04000000-0000-4000-8000-000000000005'";
    assert_eq!(count(&db.pool, chosen).await, SESSIONS / 2);
    let counted = "SELECT sum(quotes_received_count) FROM public.chat_sessions WHERE avinode_trip_id ~ '^m[0-9]+$'";
    assert_eq!(count(&db.pool, counted).await, QUOTED * 4);
    assert_eq!(dead_jobs(&db.pool).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_note_of_one_session_does_not_affect_the_others_of_the_statement() {
    let db = Db::attached().await;
    // The job fails for one of Bob's five sessions with a trip id, the pin for another one.
    db.run(
        "ALTER TABLE avinode_ingest.jobs ADD CHECK (key <> '06000000-0000-4000-8000-000000000006');
         ALTER TABLE avinode_ingest.session_state ADD CHECK (NOT pinned OR session_id <> '06000000-0000-4000-8000-000000000007');
         TRUNCATE avinode_ingest.jobs",
    )
    .await;
    let mut bob = Postgrest::before(&db).agent("user_bob").await;
    let written = "UPDATE public.chat_sessions
        SET avinode_trip_id = 'newtrip', primary_quote_id = '04000000-0000-4000-8000-000000000006'
        WHERE avinode_trip_id IS NOT NULL";
    assert_eq!(
        sqlx::query(written).execute(&mut *bob).await.unwrap().rows_affected(),
        5
    );
    bob.commit().await.unwrap();
    let noted = "SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'rematch'";
    assert_eq!(count(&db.pool, noted).await, 4);
    let pinned = "SELECT count(*) FROM avinode_ingest.session_state AS state
        JOIN public.chat_sessions AS session ON session.id = state.session_id
        WHERE pinned AND avinode_trip_id = 'newtrip'";
    assert_eq!(count(&db.pool, pinned).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_changed_values_enqueue_a_rematch() {
    let db = Db::attached().await;
    db.run("TRUNCATE avinode_ingest.jobs").await;
    let noted = "SELECT count(*) FROM avinode_ingest.jobs";
    for unrelated in [
        "UPDATE public.chat_sessions SET message_count = 1, avinode_trip_id = avinode_trip_id",
        "UPDATE public.chat_sessions SET primary_quote_id = primary_quote_id, avinode_rfp_id = 'rfp-9'",
        "UPDATE public.chat_sessions SET avinode_trip_id = 'x' WHERE false",
        "DELETE FROM public.chat_sessions WHERE id = '06000000-0000-4000-8000-000000000005'",
        "INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, session_started_at, last_activity_at, created_at, updated_at)
         VALUES ('03000000-0000-4000-8000-000000000006', '01000000-0000-4000-8000-000000000002', now(), now(), now(), now())",
    ] {
        db.run(unrelated).await;
        assert_eq!(count(&db.pool, noted).await, 0, "{unrelated}");
    }
    // Two sessions exchange their trips and one loses its trip, in a statement that writes all sessions.
    db.run(
        "UPDATE public.chat_sessions SET avinode_trip_id = CASE right(id::text, 1)
            WHEN '1' THEN '64956151' WHEN '6' THEN 'atrip-64956150' WHEN '7' THEN NULL ELSE avinode_trip_id END
         WHERE id::text LIKE '06000000-0000-4000-8000-00000000000%'",
    )
    .await;
    assert_eq!(count(&db.pool, noted).await, 3);
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
    run_jobs(&db.pool).await;
    db.run(upsert).await;
    db.run(&format!("BEGIN ISOLATION LEVEL SERIALIZABLE; {upsert}; COMMIT"))
        .await;
    run_jobs(&db.pool).await;
    let pinned = "SELECT count(*) FROM avinode_ingest.session_state
        WHERE pinned AND matched_trip = 'NEWTRIP' AND session_id = '06000000-0000-4000-8000-0000000000aa'";
    assert_eq!(count(&db.pool, pinned).await, 1);
    // Too long for an index entry, even compressed: not a trip id, and no error.
    db.run("DROP INDEX public.idx_chat_sessions_avinode_trip").await;
    db.run(
        "UPDATE public.chat_sessions
         SET avinode_trip_id = (SELECT string_agg(md5(n::text), '' ORDER BY n) FROM generate_series(1, 400) AS n)
         WHERE id = '06000000-0000-4000-8000-0000000000aa'",
    )
    .await;
    run_jobs(&db.pool).await;
    assert_eq!(dead_jobs(&db.pool).await, 0);
}
