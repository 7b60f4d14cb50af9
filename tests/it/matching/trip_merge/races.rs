//! Trips that are merged while other transactions use them.

use std::time::Duration;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::store::{merge_trips, trips};

use super::{RESOURCE, SHORT, merge, merged_ids, receive, run_jobs};
use crate::support::bodies::{base, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::documents::{enqueue_merges, worker_with_documents};
use crate::support::pool::Pool;
use crate::support::race::delay_one_side;
use crate::support::sessions::{SessionBuilder, count_and_primary, with_primary};
use crate::support::snapshot::dead_jobs;
use crate::support::sql::{text, until_a_backend_waits};
use crate::support::worker_pool::WorkerPool;

/// Asserts that facts are stored under canonical ids only, and that every other id leads to a canonical one in one step.
async fn assert_consistent(pool: &Pool) {
    let wrong = "SELECT count(*)::text FROM (
            SELECT trip_key FROM avinode_ingest.quote_facts UNION ALL SELECT trip_key FROM avinode_ingest.rfqs
            UNION ALL SELECT trip_key FROM avinode_ingest.messages
            UNION ALL SELECT merged_into FROM avinode_ingest.trips WHERE merged_into IS NOT NULL
        ) AS held JOIN avinode_ingest.trips AS trip ON trip.key = held.trip_key WHERE trip.merged_into IS NOT NULL";
    assert_eq!(text(pool, wrong).await.as_deref(), Some("0"));
    assert_eq!(dead_jobs(pool).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_waits_for_a_trip_while_it_is_merged_is_applied_to_the_canonical_trip() {
    let db = Db::new().await;
    let sessions = [
        SessionBuilder::of_trip(SHORT).insert(&db.pool).await,
        SessionBuilder::of_trip(RESOURCE).insert(&db.pool).await,
    ];
    receive(&db.pool, &[quote_of(SHORT, "q1", 1)]).await;

    let mut tx = db.pool.begin().await.unwrap();
    let ids = [SHORT.to_owned(), RESOURCE.to_owned()];
    let mut locked = trips::lock(&mut tx, &ids).await.unwrap().unwrap();
    merge_trips::merge(&mut tx, &mut locked, &[ids.to_vec()]).await.unwrap();
    store_deliveries(&db.pool, &[quote_of(SHORT, "q2", 2)], base()).await;
    let committed = async {
        until_a_backend_waits(&db.pool).await;
        tx.commit().await.unwrap();
    };
    tokio::join!(run_jobs(&db.pool), committed);
    assert_consistent(&db.pool).await;
    for session in sessions {
        assert_eq!(count_and_primary(&db.pool, session).await, with_primary(2, "q2"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_waits_for_a_trip_while_it_is_merged_ends_in_the_last_canonical_id() {
    let db = Db::new().await;
    let one = SessionBuilder::of_trip(SHORT).insert(&db.pool).await;
    receive(&db.pool, &[quote_of(SHORT, "q1", 1), quote_of(RESOURCE, "q2", 2)]).await;
    let mut tx = db.pool.begin().await.unwrap();
    let ids = [RESOURCE.to_owned(), "atrip-1".to_owned()];
    let mut locked = trips::lock(&mut tx, &ids).await.unwrap().unwrap();
    merge_trips::merge(&mut tx, &mut locked, &[ids.to_vec()]).await.unwrap();
    enqueue_merges(&db.pool, &[&[SHORT, RESOURCE]]).await;
    let committed = async {
        until_a_backend_waits(&db.pool).await;
        tx.commit().await.unwrap();
    };
    tokio::join!(run_jobs(&db.pool), committed);
    assert_consistent(&db.pool).await;
    let expected = [SHORT, RESOURCE].map(|id| (id.to_owned(), "atrip-1".to_owned()));
    assert_eq!(merged_ids(&db.pool).await, expected);
    assert_eq!(count_and_primary(&db.pool, one).await, with_primary(2, "q2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_gets_its_trip_id_during_the_merge_gets_the_quotes_of_both_trips() {
    let db = Db::new().await;
    receive(&db.pool, &[quote_of(SHORT, "q1", 1), quote_of(RESOURCE, "q2", 2)]).await;
    let made = SessionBuilder::new().insert(&db.pool).await;
    let mut application = db.pool.application().await;
    let set = "UPDATE public.chat_sessions SET avinode_trip_id = 'a1b2c3' WHERE id = $1";
    sqlx::query(set).bind(made).execute(&mut *application).await.unwrap();
    // The merge does not see the uncommitted trip id.
    merge(&db.pool, &[&[SHORT, RESOURCE]]).await;
    application.commit().await.unwrap();
    run_jobs(&db.pool).await;
    assert_eq!(count_and_primary(&db.pool, made).await, with_primary(2, "q2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_merges_events_and_new_sessions_lose_no_quote() {
    let db = Db::new().await;
    let worker = worker_with_documents(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base()));
    let workers = WorkerPool::start(&worker, 3);
    let mut sessions = Vec::new();
    for round in 0..25_u64 {
        // The canonical id is another one from round to round.
        let ids = [
            format!("S{round}A"),
            format!("atrip-{}", 500 - round),
            format!("atrip-{}", 100 + round * 9),
        ];
        let [one, two, three] = &ids;
        let pause = |n: u64| delay_one_side(Duration::from_micros((round * n) % 7 * 400));
        let made = async {
            pause(3).await;
            (
                SessionBuilder::of_trip(one).insert(&db.pool).await,
                SessionBuilder::of_trip(three).insert(&db.pool).await,
            )
        };
        let quotes = async {
            for (n, id) in ids.iter().enumerate() {
                pause(5 + n as u64).await;
                let name = format!("q{n}-{round}");
                store_deliveries(
                    &db.pool,
                    &[quote_of(id, &name, n as i64), quote_of(one, &name, 0)],
                    base(),
                )
                .await;
            }
        };
        let documents = async {
            pause(2).await;
            enqueue_merges(&db.pool, &[&[one, two]]).await;
            enqueue_merges(&db.pool, &[&[three, two]]).await;
        };
        let (made, (), ()) = tokio::join!(made, quotes, documents);
        sessions.push((round, made.0));
        sessions.push((round, made.1));
    }
    workers.finish().await;
    assert_consistent(&db.pool).await;
    assert_eq!(merged_ids(&db.pool).await.len(), 50);
    for (round, session) in sessions {
        assert_eq!(
            count_and_primary(&db.pool, session).await,
            with_primary(3, &format!("q2-{round}")),
            "{round}"
        );
    }
}
