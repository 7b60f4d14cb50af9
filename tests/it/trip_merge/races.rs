//! Trips that are merged while others work on them.

use std::time::Duration;

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::store::{merge_trips, trips};

use super::{RESOURCE, SHORT, counted, leads, quoted, shown, some, text, told, work};
use crate::support::bodies::base;
use crate::support::cluster::Db;
use crate::support::documents::{shift_with_documents, show};
use crate::support::pool::Pool;
use crate::support::service::{keep, session};
use crate::support::snapshot::dead_jobs;
use crate::support::worker_pool::Crew;

/// Facts stand under ids that stand for themselves, and every other id leads to one of these in one step.
async fn assert_sound(pool: &Pool) {
    let wrong = "SELECT count(*)::text FROM (
            SELECT trip_key FROM avinode_ingest.quotes UNION ALL SELECT trip_key FROM avinode_ingest.requests
            UNION ALL SELECT trip_key FROM avinode_ingest.messages
            UNION ALL SELECT merged_into FROM avinode_ingest.trips WHERE merged_into IS NOT NULL
        ) AS held JOIN avinode_ingest.trips AS trip ON trip.key = held.trip_key WHERE trip.merged_into IS NOT NULL";
    assert_eq!(text(pool, wrong).await.as_deref(), Some("0"));
    assert_eq!(dead_jobs(pool).await, 0);
}

/// Waits until somebody waits for a lock.
async fn until_somebody_waits(pool: &Pool) {
    let waiting = "SELECT count(*)::text FROM pg_stat_activity WHERE datname = current_database()
        AND wait_event_type = 'Lock'";
    for _ in 0..2_000 {
        if text(pool, waiting).await.as_deref() != Some("0") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("nobody waits");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_waited_for_a_trip_that_is_merged_meanwhile_ends_where_the_trip_is() {
    let db = Db::new().await;
    let sessions = [
        session(&db.pool, Some(SHORT)).await,
        session(&db.pool, Some(RESOURCE)).await,
    ];
    told(&db.pool, &[quoted(SHORT, "q1", 1)]).await;

    let mut tx = db.pool.begin().await.unwrap();
    let ids = [SHORT.to_owned(), RESOURCE.to_owned()];
    let mut locked = trips::lock(&mut tx, &ids).await.unwrap().unwrap();
    merge_trips::merge(&mut tx, &mut locked, &[ids.to_vec()]).await.unwrap();
    keep(&db.pool, &[quoted(SHORT, "q2", 2)], base()).await;
    let committed = async {
        until_somebody_waits(&db.pool).await;
        tx.commit().await.unwrap();
    };
    tokio::join!(work(&db.pool), committed);
    assert_sound(&db.pool).await;
    for session in sessions {
        assert_eq!(counted(&db.pool, session).await, some(2, "q2"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_that_is_merged_further_while_it_is_waited_for_ends_under_the_last_id() {
    let db = Db::new().await;
    let one = session(&db.pool, Some(SHORT)).await;
    told(&db.pool, &[quoted(SHORT, "q1", 1), quoted(RESOURCE, "q2", 2)]).await;
    let mut tx = db.pool.begin().await.unwrap();
    let ids = [RESOURCE.to_owned(), "atrip-1".to_owned()];
    let mut locked = trips::lock(&mut tx, &ids).await.unwrap().unwrap();
    merge_trips::merge(&mut tx, &mut locked, &[ids.to_vec()]).await.unwrap();
    show(&db.pool, &[&[SHORT, RESOURCE]]).await;
    let committed = async {
        until_somebody_waits(&db.pool).await;
        tx.commit().await.unwrap();
    };
    tokio::join!(work(&db.pool), committed);
    assert_sound(&db.pool).await;
    let expected = [SHORT, RESOURCE].map(|id| (id.to_owned(), "atrip-1".to_owned()));
    assert_eq!(leads(&db.pool).await, expected);
    assert_eq!(counted(&db.pool, one).await, some(2, "q2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_application_makes_while_its_trip_is_merged_gets_the_quotes_of_both() {
    let db = Db::new().await;
    told(&db.pool, &[quoted(SHORT, "q1", 1), quoted(RESOURCE, "q2", 2)]).await;
    let made = session(&db.pool, None).await;
    let mut application = db.pool.application().await;
    let set = "UPDATE public.chat_sessions SET avinode_trip_id = 'a1b2c3' WHERE id = $1";
    sqlx::query(set).bind(made).execute(&mut *application).await.unwrap();
    // Not to be seen yet by whoever merges.
    shown(&db.pool, &[&[SHORT, RESOURCE]]).await;
    application.commit().await.unwrap();
    work(&db.pool).await;
    assert_eq!(counted(&db.pool, made).await, some(2, "q2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn merges_events_and_sessions_that_come_at_the_same_time_all_meet() {
    let db = Db::new().await;
    let shift = shift_with_documents(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base()));
    let crew = Crew::start(&shift, 3);
    let mut sessions = Vec::new();
    for round in 0..25_u64 {
        // Now one id stands for the trip, and now another.
        let ids = [
            format!("S{round}A"),
            format!("atrip-{}", 500 - round),
            format!("atrip-{}", 100 + round * 9),
        ];
        let [one, two, three] = &ids;
        let pause = |n: u64| tokio::time::sleep(Duration::from_micros((round * n) % 7 * 400));
        let made = async {
            pause(3).await;
            (session(&db.pool, Some(one)).await, session(&db.pool, Some(three)).await)
        };
        let quotes = async {
            for (n, id) in ids.iter().enumerate() {
                pause(5 + n as u64).await;
                let name = format!("q{n}-{round}");
                keep(&db.pool, &[quoted(id, &name, n as i64), quoted(one, &name, 0)], base()).await;
            }
        };
        let documents = async {
            pause(2).await;
            show(&db.pool, &[&[one, two]]).await;
            show(&db.pool, &[&[three, two]]).await;
        };
        let (made, (), ()) = tokio::join!(made, quotes, documents);
        sessions.push((round, made.0));
        sessions.push((round, made.1));
    }
    crew.finish().await;
    assert_sound(&db.pool).await;
    assert_eq!(leads(&db.pool).await.len(), 50);
    for (round, session) in sessions {
        assert_eq!(
            counted(&db.pool, session).await,
            some(3, &format!("q2-{round}")),
            "{round}"
        );
    }
}
