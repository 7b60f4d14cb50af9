//! Several sessions on one trip: each has its count and its primary quote, and the rows in `quotes` belong to the request of the
//! oldest active one.

use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::support::bodies::quote_of;
use crate::support::cluster::Db;
use crate::support::deliveries::receive;
use crate::support::pool::Pool;
use crate::support::sessions::{SessionBuilder, count_and_primary, update_session, with_primary};
use crate::support::worker::run_jobs;

/// Inserts a session of the trip that was created this many days ago.
async fn session(pool: &Pool, days: u32) -> Uuid {
    let session = SessionBuilder::of_trip("NEWTRIP").insert(pool).await;
    update_session(pool, session, &format!("created_at = now() - interval '{days} days'")).await;
    session
}

/// The session whose request has each row, by Avinode's id.
async fn holders(pool: &Pool) -> Vec<(String, Uuid)> {
    sqlx::query_as(
        "SELECT quote.avinode_quote_id, session.id FROM public.quotes AS quote
         JOIN public.chat_sessions AS session ON session.request_id = quote.request_id
         WHERE quote.avinode_quote_id LIKE 'q%' ORDER BY 1",
    )
    .fetch_all(pool)
    .await
    .unwrap()
}

fn all_at(session: Uuid, quotes: &[&str]) -> Vec<(String, Uuid)> {
    quotes.iter().map(|quote| ((*quote).to_owned(), session)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_belong_to_the_oldest_active_session_and_move_when_it_ends() {
    for db in [Db::new().await, Db::attached().await] {
        let oldest = session(&db.pool, 3).await;
        let second = session(&db.pool, 2).await;
        let third = session(&db.pool, 1).await;
        receive(&db.pool, &[quote_of("NEWTRIP", "q1", 0), quote_of("NEWTRIP", "q2", 1)]).await;
        assert_eq!(holders(&db.pool).await, all_at(oldest, &["q1", "q2"]));

        update_session(&db.pool, oldest, "status = 'completed', session_ended_at = now()").await;
        run_jobs(&db.pool).await;
        assert_eq!(holders(&db.pool).await, all_at(second, &["q1", "q2"]));
        receive(&db.pool, &[quote_of("NEWTRIP", "q3", 2)]).await;
        assert_eq!(holders(&db.pool).await, all_at(second, &["q1", "q2", "q3"]));

        update_session(&db.pool, second, "status = 'archived'").await;
        run_jobs(&db.pool).await;
        assert_eq!(holders(&db.pool).await, all_at(third, &["q1", "q2", "q3"]));
        // None is active: the rows stay.
        update_session(&db.pool, third, "status = 'completed'").await;
        run_jobs(&db.pool).await;
        assert_eq!(holders(&db.pool).await, all_at(third, &["q1", "q2", "q3"]));
        // The first one is resumed.
        update_session(&db.pool, oldest, "status = 'active', session_ended_at = NULL").await;
        run_jobs(&db.pool).await;
        assert_eq!(holders(&db.pool).await, all_at(oldest, &["q1", "q2", "q3"]));

        assert_eq!(count_and_primary(&db.pool, oldest).await, with_primary(3, "q3"));
        // Closed sessions keep counting; their primary quotes stay.
        assert_eq!(count_and_primary(&db.pool, second).await, with_primary(3, "q3"));
        assert_eq!(count_and_primary(&db.pool, third).await, with_primary(3, "q3"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_move_when_the_session_that_had_them_is_deleted_or_gets_another_trip() {
    let db = Db::new().await;
    let oldest = session(&db.pool, 3).await;
    let second = session(&db.pool, 2).await;
    let third = session(&db.pool, 1).await;
    receive(&db.pool, &[quote_of("NEWTRIP", "q1", 0)]).await;
    assert_eq!(holders(&db.pool).await, all_at(oldest, &["q1"]));
    let delete = format!("DELETE FROM public.chat_sessions WHERE id = '{oldest}'");
    sqlx::raw_sql(AssertSqlSafe(delete)).execute(&db.pool).await.unwrap();
    run_jobs(&db.pool).await;
    assert_eq!(holders(&db.pool).await, all_at(second, &["q1"]));
    update_session(&db.pool, second, "avinode_trip_id = 'OTHER1'").await;
    run_jobs(&db.pool).await;
    assert_eq!(holders(&db.pool).await, all_at(third, &["q1"]));
    assert_eq!(count_and_primary(&db.pool, third).await, with_primary(1, "q1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_the_application_inserted_or_moved_stays_where_it_is() {
    let db = Db::new().await;
    let oldest = session(&db.pool, 3).await;
    let second = session(&db.pool, 2).await;
    let other = SessionBuilder::new().insert(&db.pool).await;
    let insert = format!(
        "INSERT INTO public.quotes (request_id, operator_id, operator_name, base_price, total_price, aircraft_type, status,
            avinode_quote_id)
         SELECT request_id, 'op', 'Op', 10000, 10000, 'Jet', 'received', 'q1' FROM public.chat_sessions
         WHERE id = '{oldest}'"
    );
    db.run(&insert).await;
    receive(&db.pool, &[quote_of("NEWTRIP", "q1", 0), quote_of("NEWTRIP", "q2", 1)]).await;
    let moved = format!(
        "UPDATE public.quotes SET request_id = (SELECT request_id FROM public.chat_sessions WHERE id = '{other}')
         WHERE avinode_quote_id = 'q2'"
    );
    sqlx::raw_sql(AssertSqlSafe(moved)).execute(&db.pool).await.unwrap();
    update_session(&db.pool, oldest, "status = 'archived'").await;
    run_jobs(&db.pool).await;
    let expected = vec![("q1".to_owned(), oldest), ("q2".to_owned(), other)];
    assert_eq!(holders(&db.pool).await, expected);
    assert_eq!(count_and_primary(&db.pool, second).await, with_primary(2, "q2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_move_harms_nothing_and_is_tried_again() {
    let db = Db::new().await;
    let oldest = session(&db.pool, 3).await;
    let second = session(&db.pool, 2).await;
    receive(&db.pool, &[quote_of("NEWTRIP", "q1", 0)]).await;
    db.run(
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
         CREATE TRIGGER refuse BEFORE UPDATE OF request_id ON public.quotes FOR EACH ROW EXECUTE FUNCTION public.refuse()",
    )
    .await;
    update_session(&db.pool, oldest, "status = 'completed'").await;
    receive(&db.pool, &[quote_of("NEWTRIP", "q2", 1)]).await;
    let expected = vec![("q1".to_owned(), oldest), ("q2".to_owned(), second)];
    assert_eq!(holders(&db.pool).await, expected);
    assert_eq!(count_and_primary(&db.pool, second).await, with_primary(2, "q2"));
    db.run("DROP TRIGGER refuse ON public.quotes").await;
    receive(&db.pool, &[quote_of("NEWTRIP", "q3", 2)]).await;
    assert_eq!(holders(&db.pool).await, all_at(second, &["q1", "q2", "q3"]));
}
