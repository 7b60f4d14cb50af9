//! A session without a trip id of its own has that of its request, and an RFQ id in the column for RFP ids finds its session.

use std::time::Duration;

use avinode_ingest::jobs::maintenance;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::support::bodies::{base, quote, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::{receive, store_deliveries};
use crate::support::pool::Pool;
use crate::support::race::delay_one_side;
use crate::support::sessions::{SessionBuilder, count_and_primary, update_session, with_primary};
use crate::support::snapshot::dead_jobs;
use crate::support::sql::count;
use crate::support::worker::{run_jobs, worker};
use crate::support::worker_pool::WorkerPool;

fn set_request_trip(session: Uuid, trip: &str) -> String {
    format!(
        "UPDATE public.requests SET avinode_trip_id = {trip}
         WHERE id = (SELECT request_id FROM public.chat_sessions WHERE id = '{session}')"
    )
}

async fn give_request_trip(pool: &Pool, session: Uuid, trip: &str) {
    let statement = set_request_trip(session, trip);
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(pool).await.unwrap();
}

async fn resync(pool: &Pool) {
    maintenance::full_round(pool, "a test").await.unwrap();
    run_jobs(pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_found_by_the_trip_id_of_its_request_before_and_after_the_quotes() {
    for db in [Db::new().await, Db::attached().await] {
        let early = SessionBuilder::new().insert(&db.pool).await;
        give_request_trip(&db.pool, early, "' newtrip '").await;
        receive(&db.pool, &[quote_of("NEWTRIP", "q1", 0)]).await;
        assert_eq!(count_and_primary(&db.pool, early).await, with_primary(1, "q1"));

        let late = SessionBuilder::new().insert(&db.pool).await;
        run_jobs(&db.pool).await;
        give_request_trip(&db.pool, late, "'newtrip'").await;
        run_jobs(&db.pool).await;
        assert_eq!(count_and_primary(&db.pool, late).await, with_primary(1, "q1"));

        // The session's own trip id comes first.
        update_session(&db.pool, late, "avinode_trip_id = 'OTHER1'").await;
        run_jobs(&db.pool).await;
        assert_eq!(count_and_primary(&db.pool, late).await, (1, None));
        update_session(&db.pool, late, "avinode_trip_id = ' '").await;
        run_jobs(&db.pool).await;
        assert_eq!(count_and_primary(&db.pool, late).await, with_primary(1, "q1"));
        give_request_trip(&db.pool, late, "NULL").await;
        run_jobs(&db.pool).await;
        assert_eq!(count_and_primary(&db.pool, late).await, (1, None));
        assert_eq!(dead_jobs(&db.pool).await, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_gets_a_request_with_a_trip_id_is_matched() {
    let db = Db::new().await;
    receive(&db.pool, &[quote_of("NEWTRIP", "q1", 0)]).await;
    let giver = SessionBuilder::new().insert(&db.pool).await;
    give_request_trip(&db.pool, giver, "'newtrip'").await;
    let session = SessionBuilder::new().without_request().insert(&db.pool).await;
    let request = format!("request_id = (SELECT request_id FROM public.chat_sessions WHERE id = '{giver}')");
    update_session(&db.pool, session, &request).await;
    run_jobs(&db.pool).await;
    assert_eq!(count_and_primary(&db.pool, session).await, with_primary(1, "q1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rfq_id_in_the_column_for_rfp_ids_finds_its_session_and_other_texts_find_none() {
    let db = Db::new().await;
    let body = |rfq: &str, id: &str| quote(&format!("evt-{id}"), "A1B2C3", rfq, id, 0, "10000", "USD");
    let early = SessionBuilder::new().insert(&db.pool).await;
    update_session(&db.pool, early, "avinode_rfp_id = ' ARFQ-7 '").await;
    let both = SessionBuilder::new().rfq("arfq-8").insert(&db.pool).await;
    update_session(&db.pool, both, "avinode_rfp_id = 'arfq-9'").await;
    let rfp = SessionBuilder::new().insert(&db.pool).await;
    update_session(&db.pool, rfp, "avinode_rfp_id = 'rfp-7'").await;
    run_jobs(&db.pool).await;
    receive(
        &db.pool,
        &[body("arfq-7", "q7"), body("arfq-9", "q9"), body("rfp-7", "q0")],
    )
    .await;
    assert_eq!(count_and_primary(&db.pool, early).await.0, 3, "the RFQ brings its trip");
    assert_eq!(count_and_primary(&db.pool, both).await.0, 3);
    assert_eq!(count_and_primary(&db.pool, rfp).await, (0, None));
    let late = SessionBuilder::new().insert(&db.pool).await;
    update_session(&db.pool, late, "avinode_rfp_id = 'arfq-7'").await;
    run_jobs(&db.pool).await;
    assert_eq!(count_and_primary(&db.pool, late).await.0, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_resync_finds_requests_and_rfp_columns_that_changed_past_the_triggers() {
    let db = Db::new().await;
    let (by_request, by_rfp) = (
        SessionBuilder::new().insert(&db.pool).await,
        SessionBuilder::new().insert(&db.pool).await,
    );
    let bodies = [
        quote_of("NEWTRIP", "q1", 0),
        quote("evt-2", "OTHER1", "arfq-7", "q2", 0, "10000", "USD"),
    ];
    receive(&db.pool, &bodies).await;
    let past_triggers = format!(
        "SET session_replication_role = replica; {};
         UPDATE public.chat_sessions SET avinode_rfp_id = 'arfq-7' WHERE id = '{by_rfp}'",
        set_request_trip(by_request, "'newtrip'")
    );
    db.run(&past_triggers).await;
    resync(&db.pool).await;
    assert_eq!(count_and_primary(&db.pool, by_request).await, with_primary(1, "q1"));
    assert_eq!(count_and_primary(&db.pool, by_rfp).await, with_primary(1, "q2"));
    resync(&db.pool).await;
    let found_again = "SELECT count(*) FROM avinode_ingest.outcomes WHERE kind = 'rematch'";
    let before = count(&db.pool, found_again).await;
    resync(&db.pool).await;
    assert_eq!(
        count(&db.pool, found_again).await,
        before,
        "a matched session is not found again"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_to_requests_succeeds_while_our_tables_are_missing() {
    let db = Db::attached().await;
    let session = SessionBuilder::new().insert(&db.pool).await;
    run_jobs(&db.pool).await;
    receive(&db.pool, &[quote_of("NEWTRIP", "q1", 0)]).await;
    db.run("ALTER TABLE avinode_ingest.jobs RENAME TO renamed_away").await;
    give_request_trip(&db.pool, session, "'newtrip'").await;
    db.run("ALTER TABLE avinode_ingest.renamed_away RENAME TO jobs").await;
    resync(&db.pool).await;
    assert_eq!(count_and_primary(&db.pool, session).await, with_primary(1, "q1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_and_a_trip_id_of_a_request_that_come_at_the_same_time_always_meet() {
    let db = Db::new().await;
    let workers = WorkerPool::start(&worker(&db.pool), 3);
    let mut sessions = Vec::new();
    for round in 0..40_u64 {
        let (trip, name) = (format!("atrip-{round}"), format!("aquote-{round}"));
        let session = SessionBuilder::new().insert(&db.pool).await;
        let written = async {
            delay_one_side(Duration::from_micros(round * 150)).await;
            give_request_trip(&db.pool, session, &format!("'{round}'")).await;
        };
        let received = async {
            delay_one_side(Duration::from_micros((40 - round) * 150)).await;
            store_deliveries(&db.pool, &[quote_of(&trip, &name, 0)], base()).await;
        };
        tokio::join!(written, received);
        sessions.push((session, name));
    }
    workers.finish().await;
    for (session, name) in sessions {
        assert_eq!(count_and_primary(&db.pool, session).await, with_primary(1, &name));
    }
    assert_eq!(dead_jobs(&db.pool).await, 0);
}

/// Neither of the two transactions sees the other: the one gives the request its trip id, the other inserts the session.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_inserted_while_its_request_gets_a_trip_id_is_matched() {
    let db = Db::new().await;
    receive(&db.pool, &[quote_of("NEWTRIP", "q1", 0)]).await;
    let giver = SessionBuilder::new().insert(&db.pool).await;
    run_jobs(&db.pool).await;
    let mut application = db.pool.application().await;
    let statement = set_request_trip(giver, "'newtrip'");
    sqlx::raw_sql(AssertSqlSafe(statement))
        .execute(&mut *application)
        .await
        .unwrap();
    let session: Uuid = sqlx::query_scalar(
        "INSERT INTO public.chat_sessions (conversation_id, request_id, iso_agent_id)
         SELECT conversation_id, request_id, iso_agent_id FROM public.chat_sessions WHERE id = $1 RETURNING id",
    )
    .bind(giver)
    .fetch_one(&db.pool)
    .await
    .unwrap();
    // The rematch of the new session meets the lock of the application, and is not done before.
    worker(&db.pool).step("w").await.unwrap();
    assert_eq!(count_and_primary(&db.pool, session).await, (0, None));
    application.commit().await.unwrap();
    run_jobs(&db.pool).await;
    assert_eq!(count_and_primary(&db.pool, session).await, with_primary(1, "q1"));
    assert_eq!(dead_jobs(&db.pool).await, 0);
}
