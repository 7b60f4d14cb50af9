//! Sessions that get an RFQ while events of its trips are applied.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;

use super::{RFQ, quote_body, set_rfq, view, work};
use crate::support::bodies::base;
use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::service::{keep, session, shift};
use crate::support::snapshot::dead_jobs;
use crate::support::worker_pool::Crew;

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_and_a_concurrently_set_rfq_are_always_matched() {
    let db = Db::new().await;
    let workers = Crew::start(&shift(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base())), 3);
    let mut sessions = Vec::new();
    for round in 0..40_u64 {
        let (trip, name, rfq) = (format!("S{round}"), format!("aquote-{round}"), format!("arfq-{round}"));
        let own = format!("atrip-{round}");
        let made = session(&db.pool, (round % 3 > 0).then_some(own.as_str())).await;
        let attached = async {
            tokio::time::sleep(std::time::Duration::from_micros(round * 150)).await;
            set_rfq(&db.pool, made, Some(&rfq)).await;
        };
        let body = [quote_body(&trip, &rfq, &name, 0)];
        tokio::join!(attached, keep(&db.pool, &body, base()));
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
    let workers = Crew::start(&shift(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base())), 3);
    let mut sessions = Vec::new();
    for round in 0..20_u64 {
        let (trip, name) = (format!("S{round}"), |n: u64| format!("aquote-{round}-{n}"));
        let rfq = |n: u64| format!("arfq-{round}-{n}");
        let made = session(&db.pool, None).await;
        let attached = async {
            tokio::time::sleep(std::time::Duration::from_micros(round * 300)).await;
            set_rfq(&db.pool, made, Some(&rfq(1))).await;
        };
        let received = async {
            for n in 0..4 {
                keep(&db.pool, &[quote_body(&trip, &rfq(n), &name(n), n as i64)], base()).await;
                tokio::time::sleep(std::time::Duration::from_micros(round % 5 * 700)).await;
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
    keep(&db.pool, &before, base()).await;
    let holder = session(&db.pool, None).await;
    work(&db.pool).await;

    let mut busy = db.pool.application().await;
    sqlx::query("SELECT FROM avinode_ingest.trips WHERE key = 'HERE11' FOR UPDATE")
        .execute(&mut *busy)
        .await
        .unwrap();
    keep(&db.pool, &[quote_body("HERE11", RFQ, "aquote-older", 1)], base()).await;
    let event = shift(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base()));
    let under_way = tokio::spawn(async move { event.step("event").await });
    let waits = async {
        while waiting_backends(&db.pool).await == 0 && !under_way.is_finished() {
            tokio::task::yield_now().await;
        }
    };
    let limit = std::time::Duration::from_secs(20);
    tokio::time::timeout(limit, waits)
        .await
        .expect("the event waits for its trip");
    set_rfq(&db.pool, holder, Some(RFQ)).await;
    let rematch = shift(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base()));
    rematch.step("rematch").await.unwrap();
    busy.rollback().await.unwrap();
    under_way.await.unwrap().unwrap();
    work(&db.pool).await;

    let seen = view(&db.pool, holder).await;
    assert_eq!(
        (seen.quotes_received_count, seen.primary_quote.as_deref()),
        (3, Some("aquote-newest"))
    );
}

/// The number of backends that wait for a lock.
async fn waiting_backends(pool: &Pool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}
