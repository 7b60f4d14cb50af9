//! A quote against a trip id that the application sets by plain SQL: in either order, it is counted once and projected
//! (invariant 5).

use std::time::Duration;

use uuid::Uuid;

use crate::support::bodies::{base, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::{receive, store_deliveries};
use crate::support::race::delay_one_side;
use crate::support::sessions::{SessionBuilder, set_trip_id, view};
use crate::support::snapshot::dead_jobs;
use crate::support::worker::{run_jobs, worker};
use crate::support::worker_pool::WorkerPool;

/// A session's trip id, as the application writes it.
const SET: &str = "UPDATE public.chat_sessions SET avinode_trip_id = $2 WHERE id = $1";

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_and_a_trip_id_that_come_at_the_same_time_always_meet() {
    let db = Db::new().await;
    let workers = WorkerPool::start(&worker(&db.pool), 3);
    let mut sessions = Vec::new();
    for round in 0..40_u64 {
        let (trip, name) = (format!("atrip-{round}"), format!("aquote-{round}"));
        let body = [quote_of(&trip, &name, 0)];
        let attached = async {
            // Every other session is made with its trip id, in the same moment.
            if round % 2 == 0 {
                let made = SessionBuilder::new().insert(&db.pool).await;
                delay_one_side(Duration::from_micros(round * 150)).await;
                set_trip_id(&db.pool, made, Some(&format!(" {round} "))).await;
                made
            } else {
                SessionBuilder::of_trip(&format!("{round}")).insert(&db.pool).await
            }
        };
        let received = async {
            delay_one_side(Duration::from_micros((40 - round) * 250)).await;
            store_deliveries(&db.pool, &body, base()).await
        };
        let (made, _) = tokio::join!(attached, received);
        sessions.push((made, name));
    }
    workers.finish().await;
    for (session, name) in sessions {
        let found = view(&db.pool, session).await;
        assert_eq!(found.quotes_received_count, 1, "{name}");
        assert_eq!(found.primary_quote, Some(name));
    }
    assert_eq!(dead_jobs(&db.pool).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_is_applied_before_the_trip_id_is_committed_is_counted_afterwards() {
    let db = Db::new().await;
    let session = SessionBuilder::new().insert(&db.pool).await;
    let mut application = db.pool.application().await;
    let set = sqlx::query(SET).bind(session).bind(Some("atrip-1"));
    set.execute(&mut *application).await.unwrap();
    receive(&db.pool, &[quote_of("atrip-1", "q1", 0)]).await;
    assert_eq!(
        view(&db.pool, session).await.quotes_received_count,
        0,
        "it is not to be seen yet"
    );
    application.commit().await.unwrap();
    run_jobs(&db.pool).await;
    let found = view(&db.pool, session).await;
    assert_eq!(
        (found.quotes_received_count, found.primary_quote.as_deref()),
        (1, Some("q1"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_id_that_is_rolled_back_counts_nothing() {
    let db = Db::new().await;
    let session = SessionBuilder::new().insert(&db.pool).await;
    store_deliveries(&db.pool, &[quote_of("atrip-1", "q1", 0)], base()).await;
    let mut application = db.pool.application().await;
    let set = sqlx::query(SET).bind(session).bind(Some("atrip-1"));
    set.execute(&mut *application).await.unwrap();
    run_jobs(&db.pool).await;
    application.rollback().await.unwrap();
    run_jobs(&db.pool).await;
    let found = view(&db.pool, session).await;
    assert_eq!((found.quotes_received_count, found.primary_quote), (0, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_changes_its_trip_keeps_its_count_and_gets_its_primary_quote_from_the_new_trip() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
    let bodies = [
        quote_of("atrip-1", "q1", 1),
        quote_of("atrip-1", "q2", 2),
        quote_of("atrip-2", "q3", 1),
    ];
    receive(&db.pool, &bodies).await;
    for (trip, count, primary) in [
        (Some("1"), 2, Some("q2")),
        (Some("atrip-2"), 3, Some("q3")),
        (None, 3, None),
        (Some("ATRIP-1"), 3, Some("q2")),
        (Some(" "), 3, None),
        (Some("2"), 3, Some("q3")),
    ] {
        set_trip_id(&db.pool, session, trip).await;
        run_jobs(&db.pool).await;
        let found = view(&db.pool, session).await;
        assert_eq!(
            (found.quotes_received_count, found.primary_quote.as_deref()),
            (count, primary),
            "{trip:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn trip_ids_that_change_while_quotes_arrive_lose_and_repeat_no_quote() {
    let db = Db::new().await;
    let sessions = [
        SessionBuilder::of_trip("atrip-1").insert(&db.pool).await,
        SessionBuilder::of_trip("2").insert(&db.pool).await,
    ];
    let workers = WorkerPool::start(&worker(&db.pool), 3);
    for round in 0..20 {
        let bodies: Vec<_> = [1, 2]
            .iter()
            .map(|trip| quote_of(&format!("atrip-{trip}"), &format!("q{trip}-{round}"), round))
            .collect();
        let swap = async |session: Uuid, trip: i64| {
            let trip = (trip < 3).then(|| format!("atrip-{trip}"));
            set_trip_id(&db.pool, session, trip.as_deref()).await;
        };
        tokio::join!(
            store_deliveries(&db.pool, &bodies, base()),
            swap(sessions[0], round % 3 + 1),
            swap(sessions[1], (round + 1) % 2 + 1),
        );
    }
    set_trip_id(&db.pool, sessions[0], Some("atrip-1")).await;
    set_trip_id(&db.pool, sessions[1], Some("atrip-2")).await;
    workers.finish().await;
    for (session, trip) in sessions.into_iter().zip(["1", "2"]) {
        let counted: Vec<String> =
            sqlx::query_scalar("SELECT quote_id FROM avinode_ingest.ledger WHERE session_id = $1 AND counted")
                .bind(session)
                .fetch_all(&db.pool)
                .await
                .unwrap();
        let found = view(&db.pool, session).await;
        assert_eq!(found.quotes_received_count, i32::try_from(counted.len()).unwrap());
        assert_eq!(found.primary_quote, Some(format!("q{trip}-19")));
        assert!(
            (0..20).all(|round| counted.contains(&format!("q{trip}-{round}"))),
            "{counted:?}"
        );
    }
    assert_eq!(dead_jobs(&db.pool).await, 0);
}
