//! Sessions that get an RFQ while events of its trips are applied.

use std::time::Duration;

use super::{RFQ, quote_body};
use crate::support::bodies::base;
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::race::delay_one_side;
use crate::support::sessions::{SessionBuilder, set_rfq, view};
use crate::support::snapshot::dead_jobs;
use crate::support::sql::until_a_backend_waits;
use crate::support::worker::{run_jobs, worker};
use crate::support::worker_pool::WorkerPool;

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_and_a_concurrently_set_rfq_are_always_matched() {
    let db = Db::new().await;
    let workers = WorkerPool::start(&worker(&db.pool), 3);
    let mut sessions = Vec::new();
    for round in 0..40_u64 {
        let (trip, name, rfq) = (format!("S{round}"), format!("aquote-{round}"), format!("arfq-{round}"));
        let own = format!("atrip-{round}");
        let made = SessionBuilder::new()
            .trip((round % 3 > 0).then_some(own.as_str()))
            .insert(&db.pool)
            .await;
        let attached = async {
            delay_one_side(Duration::from_micros(round * 150)).await;
            set_rfq(&db.pool, made, Some(&rfq)).await;
        };
        let body = [quote_body(&trip, &rfq, &name, 0)];
        tokio::join!(attached, store_deliveries(&db.pool, &body, base()));
        sessions.push((made, name));
    }
    workers.finish().await;
    assert_eq!(dead_jobs(&db.pool).await, 0);
    for (session, name) in sessions {
        let seen = view(&db.pool, session).await;
        assert_eq!((seen.quotes_received_count, seen.primary_quote), (1, Some(name)));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrently_applied_quotes_all_reach_the_session_that_gets_one_of_their_rfqs() {
    let db = Db::new().await;
    let workers = WorkerPool::start(&worker(&db.pool), 3);
    let mut sessions = Vec::new();
    for round in 0..20_u64 {
        let (trip, name) = (format!("S{round}"), |n: u64| format!("aquote-{round}-{n}"));
        let rfq = |n: u64| format!("arfq-{round}-{n}");
        let made = SessionBuilder::new().insert(&db.pool).await;
        let attached = async {
            delay_one_side(Duration::from_micros(round * 300)).await;
            set_rfq(&db.pool, made, Some(&rfq(1))).await;
        };
        let received = async {
            for n in 0..4 {
                store_deliveries(&db.pool, &[quote_body(&trip, &rfq(n), &name(n), n as i64)], base()).await;
                delay_one_side(Duration::from_micros(round % 5 * 700)).await;
            }
        };
        tokio::join!(attached, received);
        sessions.push((made, name(3)));
    }
    workers.finish().await;
    assert_eq!(dead_jobs(&db.pool).await, 0);
    for (session, name) in sessions {
        let seen = view(&db.pool, session).await;
        assert_eq!((seen.quotes_received_count, seen.primary_quote), (4, Some(name)));
    }
}

/// The event finds its related trips, and waits for the lock of its trip. Meanwhile a session gets the event's RFQ and is
/// matched with the other trip of that RFQ, which the event has not locked.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_gets_the_rfq_of_an_event_being_applied_is_decided_from_all_of_its_trips() {
    let db = Db::new().await;
    let before = [
        quote_body("OTHER1", RFQ, "aquote-newest", 9),
        quote_body("HERE11", "arfq-another", "aquote-another", 0),
    ];
    store_deliveries(&db.pool, &before, base()).await;
    let holder = SessionBuilder::new().insert(&db.pool).await;
    run_jobs(&db.pool).await;

    let mut busy = db.pool.application().await;
    sqlx::query("SELECT FROM avinode_ingest.trips WHERE key = 'HERE11' FOR UPDATE")
        .execute(&mut *busy)
        .await
        .unwrap();
    store_deliveries(&db.pool, &[quote_body("HERE11", RFQ, "aquote-older", 1)], base()).await;
    let event = worker(&db.pool);
    let under_way = tokio::spawn(async move { event.step("event").await });
    until_a_backend_waits(&db.pool).await;
    set_rfq(&db.pool, holder, Some(RFQ)).await;
    let rematch = worker(&db.pool);
    rematch.step("rematch").await.unwrap();
    busy.rollback().await.unwrap();
    under_way.await.unwrap().unwrap();
    run_jobs(&db.pool).await;

    let seen = view(&db.pool, holder).await;
    assert_eq!(
        (seen.quotes_received_count, seen.primary_quote.as_deref()),
        (3, Some("aquote-newest"))
    );
}
