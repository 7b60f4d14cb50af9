//! At the first attach the counts of sessions that the application never counted become the numbers of their known quotes, once.

use avinode_ingest::postgres::migrator;

use super::quotes::setup::application_session;
use crate::support::bodies::quote;
use crate::support::cluster::Db;
use crate::support::deliveries::receive;
use crate::support::program;
use crate::support::sessions::quote_count;
use crate::support::sql::count;

/// The application never counted. Session 1 has three quotes with ids, and rows that older code wrote: one with the id in its
/// metadata only, one with an RFQ id, one of a declined event, and one without any id. Session 2 has one quote and a higher count.
const NEVER_COUNTED: &str = "
    UPDATE public.chat_sessions SET quotes_received_count = CASE right(id::text, 2) WHEN '02' THEN 7 WHEN '03' THEN NULL ELSE 0 END;
    INSERT INTO public.quotes (request_id, operator_id, operator_name, base_price, total_price, aircraft_type, avinode_quote_id,
        metadata)
    SELECT '02000000-0000-4000-8000-000000000001', 'op', 'Op', 1, 1, 'Jet', id, metadata::jsonb
    FROM (VALUES
        (NULL, '{\"avinode_quote_id\": \" aquote-400 \"}'), ('arfq-77', NULL), ('decline-evt-1', NULL), (NULL, '{}'),
        (' ', '{\"avinode_quote_id\": \"aquote-386512701\"}')
    ) AS old (id, metadata)";

#[tokio::test(flavor = "multi_thread")]
async fn counts_that_the_application_never_wrote_become_the_number_of_known_quotes_once() {
    let db = Db::application().await;
    db.run(NEVER_COUNTED).await;
    let run = program::run_on(&db, &["migrate"]).await;
    assert_eq!(run.code, Some(0), "{}", run.all());
    // Session 11 is on the trip of session 1.
    let line = "raised quotes_received_count of 3 sessions to the number of quotes that are known for them";
    assert!(run.stdout.contains(line), "{}", run.stdout);
    for (session, expected) in [(1, 4), (2, 7), (3, 1), (6, 0), (0x11, 4)] {
        assert_eq!(
            quote_count(&db.pool, application_session(session)).await,
            expected,
            "{session}"
        );
    }
    let again = program::run_on(&db, &["migrate"]).await;
    assert!(!again.stdout.contains("raised"), "{}", again.stdout);

    // Known quotes are not counted again, by whatever id their rows have; a new one is.
    let trip = "atrip-64956150";
    let bodies = [
        quote("evt-1", trip, "arfq-1", "aquote-386512701", 1, "45000", "USD"),
        quote("evt-2", trip, "arfq-2", "aquote-400", 2, "45000", "USD"),
        quote("evt-3", trip, "arfq-3", "aquote-401", 3, "45000", "USD"),
    ];
    receive(&db.pool, &bodies).await;
    assert_eq!(quote_count(&db.pool, application_session(1)).await, 5);
    // Another agent's: the trip is that of the agent whose request names it.
    assert_eq!(quote_count(&db.pool, application_session(0x11)).await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn raising_counts_waits_for_a_session_that_the_application_has_locked() {
    let db = Db::application().await;
    db.run(NEVER_COUNTED).await;
    let mut application = db.pool.application().await;
    // The last file: the application holds two of the sessions when it begins.
    let options = db.options.clone();
    migrator::migrate(&options).await.unwrap();
    db.run(
        "UPDATE public.chat_sessions SET quotes_received_count = 0; TRUNCATE avinode_ingest.raised_counts;
         DELETE FROM avinode_ingest.schema_migrations WHERE version = 202611280411",
    )
    .await;
    sqlx::raw_sql("UPDATE public.chat_sessions SET message_count = 99 WHERE avinode_trip_id LIKE '%64956150'")
        .execute(&mut *application)
        .await
        .unwrap();
    let migration = tokio::spawn(async move { migrator::migrate(&options).await });
    crate::support::sql::until_a_backend_waits(&db.pool).await;
    // The sessions that are not locked are done, and none is held.
    assert_eq!(quote_count(&db.pool, application_session(2)).await, 1);
    db.run("UPDATE public.chat_sessions SET message_count = 98 WHERE avinode_trip_id = 'A1B2C3'")
        .await;
    application.commit().await.unwrap();
    migration.await.unwrap().unwrap();
    assert_eq!(quote_count(&db.pool, application_session(1)).await, 4);
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.raised_counts").await,
        4
    );
}
