//! An event whose trip no session has finds the session that holds its RFQ, and that session's trip.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::store::admin::{self, SessionView};
use serde_json::json;
use uuid::Uuid;

use crate::support::bodies::{base, event, quote};
use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::service::{drain, keep, session, shift};
use crate::support::snapshot::dead_jobs;
use crate::support::worker_pool::Crew;

const RFQ: &str = "arfq-12345678";

async fn set_rfq(pool: &Pool, session: Uuid, rfq: Option<&str>) {
    sqlx::query("UPDATE public.chat_sessions SET avinode_rfq_id = $2 WHERE id = $1")
        .bind(session)
        .bind(rfq)
        .execute(pool)
        .await
        .unwrap();
}

async fn work(pool: &Pool) {
    drain(&shift(pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base())), "w").await;
}

async fn view(pool: &Pool, session: Uuid) -> SessionView {
    admin::sessions(pool, &[session]).await.unwrap().remove(0)
}

fn quoted(trip: &str, rfq: &str, name: &str, seconds: i64) -> serde_json::Value {
    quote(&format!("evt-{name}"), trip, rfq, name, seconds, "10000", "USD")
}

#[tokio::test]
async fn a_quote_under_an_id_that_no_session_has_reaches_the_sessions_of_the_trip_that_holds_its_rfq() {
    let db = Db::new().await;
    let holder = session(&db.pool, Some("atrip-1")).await;
    let beside = session(&db.pool, Some("1")).await;
    let stranger = session(&db.pool, Some("atrip-2")).await;
    set_rfq(&db.pool, holder, Some(" ARFQ-12345678\n")).await;
    let bodies = [
        quoted("A1B2C3", RFQ, "aquote-1", 0),
        quoted("atrip-1", "arfq-9", "aquote-2", 1),
        quoted("D4E5F6", "arfq-8", "aquote-3", 2),
        event(
            "TripRequestMine",
            "evt-cancelled",
            3,
            json!({"type": "TripRequestMine", "trip": {"id": "A1B2C3"}, "action": "cancelled"}),
        ),
    ];
    keep(&db.pool, &bodies, base()).await;
    work(&db.pool).await;
    for session in [holder, beside] {
        let seen = view(&db.pool, session).await;
        assert_eq!(seen.quotes_received_count, 2);
        assert_eq!(seen.primary_quote.as_deref(), Some("aquote-2"));
        assert_eq!(
            seen.avinode_trip_status.as_deref(),
            Some("cancelled"),
            "also what names no RFQ"
        );
    }
    assert_eq!(view(&db.pool, stranger).await.quotes_received_count, 0);
}

#[tokio::test]
async fn a_session_that_is_given_an_rfq_later_gets_what_came_before() {
    let db = Db::new().await;
    let late = session(&db.pool, None).await;
    keep(&db.pool, &[quoted("A1B2C3", RFQ, "aquote-1", 0)], base()).await;
    work(&db.pool).await;
    assert_eq!(view(&db.pool, late).await.quotes_received_count, 0);
    set_rfq(&db.pool, late, Some(RFQ)).await;
    work(&db.pool).await;
    let seen = view(&db.pool, late).await;
    assert_eq!(
        (seen.quotes_received_count, seen.primary_quote.as_deref()),
        (1, Some("aquote-1"))
    );

    // And what comes afterwards; the first again adds nothing.
    let bodies = [
        quoted("A1B2C3", RFQ, "aquote-1", 0),
        quoted("A1B2C3", RFQ, "aquote-2", 5),
    ];
    keep(&db.pool, &bodies, base()).await;
    work(&db.pool).await;
    let seen = view(&db.pool, late).await;
    assert_eq!(
        (seen.quotes_received_count, seen.primary_quote.as_deref()),
        (2, Some("aquote-2"))
    );
}

#[tokio::test]
async fn a_session_with_the_trip_itself_takes_it_back_from_the_one_that_holds_the_rfq() {
    let db = Db::new().await;
    let holder = session(&db.pool, Some("atrip-1")).await;
    set_rfq(&db.pool, holder, Some(RFQ)).await;
    keep(&db.pool, &[quoted("A1B2C3", RFQ, "aquote-1", 0)], base()).await;
    work(&db.pool).await;
    assert_eq!(view(&db.pool, holder).await.primary_quote.as_deref(), Some("aquote-1"));

    let own = session(&db.pool, Some("a1b2c3")).await;
    work(&db.pool).await;
    let (holder, own) = (view(&db.pool, holder).await, view(&db.pool, own).await);
    assert_eq!(
        (own.quotes_received_count, own.primary_quote.as_deref()),
        (1, Some("aquote-1"))
    );
    assert_eq!(
        (holder.quotes_received_count, holder.primary_quote),
        (1, None),
        "what was counted stays counted; elected is among the quotes of its own trip"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_and_an_rfq_that_come_at_the_same_time_always_meet() {
    let db = Db::new().await;
    let crew = Crew::start(&shift(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base())), 3);
    let mut sessions = Vec::new();
    for round in 0..40_u64 {
        let (trip, name, rfq) = (format!("S{round}"), format!("aquote-{round}"), format!("arfq-{round}"));
        let own = format!("atrip-{round}");
        let made = session(&db.pool, (round % 3 > 0).then_some(own.as_str())).await;
        let attached = async {
            tokio::time::sleep(std::time::Duration::from_micros(round * 150)).await;
            set_rfq(&db.pool, made, Some(&rfq)).await;
        };
        let body = [quoted(&trip, &rfq, &name, 0)];
        tokio::join!(attached, keep(&db.pool, &body, base()));
        sessions.push((made, name));
    }
    crew.finish().await;
    assert_eq!(dead_jobs(&db.pool).await, 0);
    for (session, name) in sessions {
        let seen = view(&db.pool, session).await;
        assert_eq!((seen.quotes_received_count, seen.primary_quote), (1, Some(name)));
    }
}

#[tokio::test]
async fn an_rfq_that_is_named_under_many_trips_brings_all_of_them_in_either_order() {
    let bodies: Vec<_> = (0..9)
        .map(|n| quoted(&format!("S{n}X"), RFQ, &format!("aquote-{n}"), n))
        .collect();
    for session_first in [true, false] {
        let db = Db::new().await;
        let holder = session(&db.pool, Some("atrip-1")).await;
        if session_first {
            set_rfq(&db.pool, holder, Some(RFQ)).await;
            work(&db.pool).await;
        }
        for body in &bodies {
            keep(&db.pool, std::slice::from_ref(body), base()).await;
            work(&db.pool).await;
        }
        if !session_first {
            set_rfq(&db.pool, holder, Some(RFQ)).await;
            work(&db.pool).await;
        }
        let seen = view(&db.pool, holder).await;
        assert_eq!(
            (seen.quotes_received_count, seen.primary_quote.as_deref()),
            (9, Some("aquote-8"))
        );
    }
}

#[tokio::test]
async fn a_trip_that_its_session_gives_up_is_the_one_of_the_session_that_holds_its_rfq() {
    let db = Db::new().await;
    let holder = session(&db.pool, None).await;
    set_rfq(&db.pool, holder, Some(RFQ)).await;
    let own = session(&db.pool, Some("A1B2C3")).await;
    keep(&db.pool, &[quoted("A1B2C3", RFQ, "aquote-1", 0)], base()).await;
    work(&db.pool).await;
    assert_eq!(view(&db.pool, holder).await.quotes_received_count, 0);
    sqlx::query("UPDATE public.chat_sessions SET avinode_trip_id = NULL WHERE id = $1")
        .bind(own)
        .execute(&db.pool)
        .await
        .unwrap();
    work(&db.pool).await;
    let seen = view(&db.pool, holder).await;
    assert_eq!(
        (seen.quotes_received_count, seen.primary_quote.as_deref()),
        (1, Some("aquote-1"))
    );
}

#[tokio::test]
async fn sessions_of_several_trips_that_hold_one_rfq_have_its_quotes_and_leave_one_another_in_peace() {
    let db = Db::new().await;
    let mut sessions = Vec::new();
    // A chain: the second trip's sessions hold an RFQ of the first one, and one of the third.
    for (trip, rfq) in [
        ("atrip-1", "arfq-a"),
        ("atrip-2", "arfq-a"),
        ("atrip-2", "arfq-b"),
        ("A1B2C3", "arfq-b"),
    ] {
        let made = session(&db.pool, Some(trip)).await;
        set_rfq(&db.pool, made, Some(rfq)).await;
        sessions.push(made);
    }
    // Each by itself: in one batch they would all be looked at together.
    let comes = [
        quoted("Z9Y8X7", "arfq-a", "aquote-a", 0),
        quoted("Y8X7W6", "arfq-b", "aquote-b", 1),
        quoted("atrip-1", "arfq-c", "aquote-c", 2),
        quoted("A1B2C3", "arfq-d", "aquote-d", 3),
    ];
    for body in comes {
        keep(&db.pool, &[body], base()).await;
        let ends = std::time::Duration::from_secs(20);
        tokio::time::timeout(ends, work(&db.pool))
            .await
            .expect("an end to matching");
    }
    let expected = [(2, "aquote-c"), (2, "aquote-b"), (2, "aquote-b"), (2, "aquote-d")];
    for (session, (quotes, primary)) in sessions.into_iter().zip(expected) {
        let seen = view(&db.pool, session).await;
        assert_eq!(
            (seen.quotes_received_count, seen.primary_quote.as_deref()),
            (quotes, Some(primary))
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn quotes_that_several_workers_apply_at_once_all_reach_the_session_that_is_given_one_of_their_rfqs() {
    let db = Db::new().await;
    let crew = Crew::start(&shift(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base())), 3);
    let mut sessions = Vec::new();
    for round in 0..20_u64 {
        let (trip, name) = (format!("S{round}"), |n: u64| format!("aquote-{round}-{n}"));
        let rfq = |n: u64| format!("arfq-{round}-{n}");
        let made = session(&db.pool, None).await;
        let attached = async {
            tokio::time::sleep(std::time::Duration::from_micros(round * 300)).await;
            set_rfq(&db.pool, made, Some(&rfq(1))).await;
        };
        let told = async {
            for n in 0..4 {
                keep(&db.pool, &[quoted(&trip, &rfq(n), &name(n), n as i64)], base()).await;
                tokio::time::sleep(std::time::Duration::from_micros(round % 5 * 700)).await;
            }
        };
        tokio::join!(attached, told);
        sessions.push((made, name(3)));
    }
    crew.finish().await;
    assert_eq!(dead_jobs(&db.pool).await, 0);
    for (session, name) in sessions {
        let seen = view(&db.pool, session).await;
        assert_eq!((seen.quotes_received_count, seen.primary_quote), (4, Some(name)));
    }
}

/// The event looks for what belongs together, and waits for its trip. Meanwhile a session is given the event's RFQ and is
/// matched with the other trip of that RFQ, which the event has not locked.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_given_the_rfq_of_an_event_under_way_is_not_decided_from_half_of_its_trips() {
    let db = Db::new().await;
    let before = [
        quoted("OTHER1", RFQ, "aquote-newest", 9),
        quoted("HERE11", "arfq-another", "aquote-another", 0),
    ];
    keep(&db.pool, &before, base()).await;
    let holder = session(&db.pool, None).await;
    work(&db.pool).await;

    let mut busy = db.pool.application().await;
    sqlx::query("SELECT FROM avinode_ingest.trips WHERE key = 'HERE11' FOR UPDATE")
        .execute(&mut *busy)
        .await
        .unwrap();
    keep(&db.pool, &[quoted("HERE11", RFQ, "aquote-older", 1)], base()).await;
    let event = shift(&db.pool, PrimaryQuotePolicy::Latest, Clock::Fixed(base()));
    let under_way = tokio::spawn(async move { event.step("event").await });
    while waiting(&db.pool).await == 0 && !under_way.is_finished() {
        tokio::task::yield_now().await;
    }
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

/// How many of the database's backends wait for a lock.
async fn waiting(pool: &Pool) -> i64 {
    sqlx::query_scalar(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    )
    .fetch_one(pool)
    .await
    .unwrap()
}
