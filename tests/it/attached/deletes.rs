//! The application deletes and truncates its rows whatever the service knows about them.

use crate::support::bodies::{decline, message, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::receive;
use crate::support::sessions::{SessionBuilder, SessionReferences, quote_count, update_session};
use crate::support::snapshot::dead_jobs;
use crate::support::sql::count;
use crate::support::worker::run_jobs;

const RECORDS: &str = "SELECT (SELECT count(*) FROM avinode_ingest.session_state)
    + (SELECT count(*) FROM avinode_ingest.ledger) + (SELECT count(*) FROM avinode_ingest.timeline)";

/// Sessions with state, ledger, timeline, projected rows, a pinned primary quote, a proposal and another session on the trip.
async fn fill(db: &Db) {
    let counted = SessionBuilder::of_trip("NEWTRIP").insert(&db.pool).await;
    SessionBuilder::of_trip("newtrip").insert(&db.pool).await;
    let pinned = SessionBuilder::of_trip("PINNED").insert(&db.pool).await;
    receive(
        &db.pool,
        &[
            quote("evt-1", "NEWTRIP", "arfq-1", "aquote-1", 0, "9000", "USD"),
            quote("evt-2", "PINNED", "arfq-2", "aquote-2", 0, "9000", "USD"),
            decline("evt-3", "PINNED", "arfq-3", 1),
            message("evt-4", "PINNED", "amsg-1", 2),
        ],
    )
    .await;
    let references = SessionReferences::insert(&db.pool).await;
    let (row, proposal) = (
        references.insert_quote(&db.pool, Some("aquote-9")).await,
        references.insert_proposal(&db.pool).await,
    );
    let columns = format!("primary_quote_id = '{row}', proposal_id = '{proposal}'");
    update_session(&db.pool, pinned, &columns).await;
    db.run(&format!(
        "UPDATE public.proposals SET quote_id = '{row}' WHERE id = '{proposal}'"
    ))
    .await;
    run_jobs(&db.pool).await;
    assert_eq!(quote_count(&db.pool, counted).await, 1);
    assert!(count(&db.pool, RECORDS).await > 5);
}

/// The tables of the application that exist in every database.
const TABLES: [&str; 6] = [
    "iso_agents",
    "requests",
    "quotes",
    "conversations",
    "proposals",
    "chat_sessions",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_row_of_every_application_table_can_be_deleted_in_every_order_where_we_made_the_tables() {
    for first in TABLES {
        let db = Db::new().await;
        fill(&db).await;
        for table in [first].iter().chain(&TABLES) {
            db.run(&format!("DELETE FROM public.{table}")).await;
            run_jobs(&db.pool).await;
        }
        assert_eq!(dead_jobs(&db.pool).await, 0);
        assert_eq!(count(&db.pool, RECORDS).await, 0, "after {first}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_can_be_deleted_where_only_chat_sessions_is_ours() {
    for first in TABLES {
        let db = Db::application_without_sessions().await;
        // The application's own references would refuse to delete these.
        let constraints = "ALTER TABLE public.proposals DROP CONSTRAINT proposals_request_id_fkey,
            DROP CONSTRAINT proposals_iso_agent_id_fkey, DROP CONSTRAINT proposals_quote_id_fkey";
        db.run(constraints).await;
        avinode_ingest::postgres::migrator::migrate(&db.options).await.unwrap();
        fill(&db).await;
        for table in [first].iter().chain(&TABLES) {
            db.run(&format!("DELETE FROM public.{table}")).await;
            run_jobs(&db.pool).await;
        }
        assert_eq!(dead_jobs(&db.pool).await, 0);
        assert_eq!(count(&db.pool, RECORDS).await, 0, "after {first}");
    }
}

/// No table of ours refuses a delete, and none refers to `chat_sessions`, where a reference makes TRUNCATE fail.
const REFUSING: &str = "SELECT count(*) FROM pg_constraint
    WHERE contype = 'f' AND (
        conrelid::regclass::text LIKE 'avinode_ingest.%' AND confrelid::regclass::text NOT LIKE 'avinode_ingest.%'
        OR confdeltype IN ('a', 'r') AND conrelid IN (
            SELECT tgrelid FROM pg_trigger WHERE tgfoid = 'avinode_ingest.set_updated_at()'::regprocedure
        )
    )";

#[tokio::test(flavor = "multi_thread")]
async fn no_reference_of_ours_refuses_a_delete() {
    let without_sessions = Db::application_without_sessions().await;
    avinode_ingest::postgres::migrator::migrate(&without_sessions.options)
        .await
        .unwrap();
    for db in [Db::new().await, Db::attached().await, without_sessions] {
        assert_eq!(count(&db.pool, REFUSING).await, 0);
        let unchecked = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated";
        assert_eq!(count(&db.pool, unchecked).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_application_truncates_its_sessions_and_our_records_follow() {
    for db in [Db::new().await, Db::attached().await] {
        fill(&db).await;
        // A reader of our tables, such as a dump, does not block the application.
        let mut reader = db.pool.application().await;
        sqlx::raw_sql("SELECT FROM avinode_ingest.ledger")
            .execute(&mut *reader)
            .await
            .unwrap();
        db.run("TRUNCATE public.chat_sessions").await;
        reader.rollback().await.unwrap();
        assert_eq!(count(&db.pool, RECORDS).await, 0);
        run_jobs(&db.pool).await;
        assert_eq!(dead_jobs(&db.pool).await, 0);
        let session = SessionBuilder::of_trip("NEWTRIP").insert(&db.pool).await;
        run_jobs(&db.pool).await;
        assert_eq!(quote_count(&db.pool, session).await, 1);
        db.run("TRUNCATE public.chat_sessions").await;
        assert_eq!(count(&db.pool, RECORDS).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deletes_and_truncates_succeed_while_our_tables_are_missing() {
    let db = Db::new().await;
    fill(&db).await;
    db.run(
        "ALTER TABLE avinode_ingest.ledger RENAME TO renamed_away;
         DELETE FROM public.chat_sessions WHERE avinode_trip_id = 'PINNED';
         TRUNCATE public.chat_sessions;
         ALTER TABLE avinode_ingest.renamed_away RENAME TO ledger",
    )
    .await;
    assert_eq!(count(&db.pool, "SELECT count(*) FROM public.chat_sessions").await, 0);
}
