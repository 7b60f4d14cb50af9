//! An event with a trip id that no session has is assigned by its RFQ: to the session that holds it, and to the other sessions of
//! its trip.

mod races;

use std::time::Duration;

use serde_json::json;

use crate::support::bodies::{base, event, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::{receive, store_deliveries};
use crate::support::sessions::{SessionBuilder, set_rfq, update_session, view};
use crate::support::worker::run_jobs;

const RFQ: &str = "arfq-12345678";

fn quote_body(trip: &str, rfq: &str, name: &str, seconds: i64) -> serde_json::Value {
    quote(&format!("evt-{name}"), trip, rfq, name, seconds, "10000", "USD")
}

#[tokio::test]
async fn a_quote_under_an_unknown_trip_id_reaches_the_sessions_of_the_trip_that_holds_its_rfq() {
    let db = Db::new().await;
    let holder = SessionBuilder::of_trip("atrip-1")
        .rfq(" ARFQ-12345678\n")
        .insert(&db.pool)
        .await;
    let sibling = SessionBuilder::of_trip("1").insert(&db.pool).await;
    let unrelated = SessionBuilder::of_trip("atrip-2").insert(&db.pool).await;
    let bodies = [
        quote_body("A1B2C3", RFQ, "aquote-1", 0),
        quote_body("atrip-1", "arfq-9", "aquote-2", 1),
        quote_body("D4E5F6", "arfq-8", "aquote-3", 2),
        event(
            "TripRequestMine",
            "evt-cancelled",
            3,
            json!({"type": "TripRequestMine", "trip": {"id": "A1B2C3"}, "action": "cancelled"}),
        ),
    ];
    receive(&db.pool, &bodies).await;
    for session in [holder, sibling] {
        let seen = view(&db.pool, session).await;
        assert_eq!(seen.quotes_received_count, 2);
        assert_eq!(seen.primary_quote.as_deref(), Some("aquote-2"));
        assert_eq!(
            seen.avinode_trip_status.as_deref(),
            Some("cancelled"),
            "an event without an RFQ reaches them as well"
        );
    }
    assert_eq!(view(&db.pool, unrelated).await.quotes_received_count, 0);
}

#[tokio::test]
async fn a_session_that_gets_an_rfq_later_counts_the_earlier_quotes() {
    let db = Db::new().await;
    let late = SessionBuilder::new().insert(&db.pool).await;
    receive(&db.pool, &[quote_body("A1B2C3", RFQ, "aquote-1", 0)]).await;
    assert_eq!(view(&db.pool, late).await.quotes_received_count, 0);
    set_rfq(&db.pool, late, Some(RFQ)).await;
    run_jobs(&db.pool).await;
    let seen = view(&db.pool, late).await;
    assert_eq!(
        (seen.quotes_received_count, seen.primary_quote.as_deref()),
        (1, Some("aquote-1"))
    );

    // Later quotes are counted, and a repetition of the first one is not.
    let bodies = [
        quote_body("A1B2C3", RFQ, "aquote-1", 0),
        quote_body("A1B2C3", RFQ, "aquote-2", 5),
    ];
    receive(&db.pool, &bodies).await;
    let seen = view(&db.pool, late).await;
    assert_eq!(
        (seen.quotes_received_count, seen.primary_quote.as_deref()),
        (2, Some("aquote-2"))
    );
}

#[tokio::test]
async fn a_session_with_the_trip_id_takes_the_trip_from_the_session_that_holds_the_rfq() {
    let db = Db::new().await;
    let holder = SessionBuilder::of_trip("atrip-1").rfq(RFQ).insert(&db.pool).await;
    receive(&db.pool, &[quote_body("A1B2C3", RFQ, "aquote-1", 0)]).await;
    assert_eq!(view(&db.pool, holder).await.primary_quote.as_deref(), Some("aquote-1"));

    let own = SessionBuilder::of_trip("a1b2c3").insert(&db.pool).await;
    run_jobs(&db.pool).await;
    let (holder, own) = (view(&db.pool, holder).await, view(&db.pool, own).await);
    assert_eq!(
        (own.quotes_received_count, own.primary_quote.as_deref()),
        (1, Some("aquote-1"))
    );
    assert_eq!(
        (holder.quotes_received_count, holder.primary_quote),
        (1, None),
        "the count stays; the primary quote is selected from its own trip"
    );
}

#[tokio::test]
async fn an_rfq_that_is_named_under_many_trips_brings_all_of_them_in_either_order() {
    let bodies: Vec<_> = (0..9)
        .map(|n| quote_body(&format!("S{n}X"), RFQ, &format!("aquote-{n}"), n))
        .collect();
    for session_first in [true, false] {
        let db = Db::new().await;
        let holder = SessionBuilder::of_trip("atrip-1").insert(&db.pool).await;
        if session_first {
            set_rfq(&db.pool, holder, Some(RFQ)).await;
            run_jobs(&db.pool).await;
        }
        for body in &bodies {
            receive(&db.pool, std::slice::from_ref(body)).await;
        }
        if !session_first {
            set_rfq(&db.pool, holder, Some(RFQ)).await;
            run_jobs(&db.pool).await;
        }
        let seen = view(&db.pool, holder).await;
        assert_eq!(
            (seen.quotes_received_count, seen.primary_quote.as_deref()),
            (9, Some("aquote-8"))
        );
    }
}

#[tokio::test]
async fn a_trip_that_its_session_loses_belongs_to_the_session_that_holds_its_rfq() {
    let db = Db::new().await;
    let holder = SessionBuilder::new().rfq(RFQ).insert(&db.pool).await;
    let own = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    receive(&db.pool, &[quote_body("A1B2C3", RFQ, "aquote-1", 0)]).await;
    assert_eq!(view(&db.pool, holder).await.quotes_received_count, 0);
    update_session(&db.pool, own, "avinode_trip_id = NULL").await;
    run_jobs(&db.pool).await;
    let seen = view(&db.pool, holder).await;
    assert_eq!(
        (seen.quotes_received_count, seen.primary_quote.as_deref()),
        (1, Some("aquote-1"))
    );
}

#[tokio::test]
async fn sessions_of_several_trips_that_hold_one_rfq_get_its_quotes_and_not_each_others() {
    let db = Db::new().await;
    let mut sessions = Vec::new();
    // A chain: the sessions of the second trip hold an RFQ of the first trip and one of the third.
    for (trip, rfq) in [
        ("atrip-1", "arfq-a"),
        ("atrip-2", "arfq-a"),
        ("atrip-2", "arfq-b"),
        ("A1B2C3", "arfq-b"),
    ] {
        sessions.push(SessionBuilder::of_trip(trip).rfq(rfq).insert(&db.pool).await);
    }
    // One batch each: a single batch would load all trips together.
    let bodies = [
        quote_body("Z9Y8X7", "arfq-a", "aquote-a", 0),
        quote_body("Y8X7W6", "arfq-b", "aquote-b", 1),
        quote_body("atrip-1", "arfq-c", "aquote-c", 2),
        quote_body("A1B2C3", "arfq-d", "aquote-d", 3),
    ];
    for body in bodies {
        store_deliveries(&db.pool, &[body], base()).await;
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, run_jobs(&db.pool))
            .await
            .expect("matching ends");
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
