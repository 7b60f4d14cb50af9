//! Sessions and facts of two trips after a merge.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::chat_session::page::{PageRequest, SessionFilter};
use avinode_ingest::domain::ids::TripId;
use avinode_ingest::sessions::service::SessionService;
use serde_json::json;

use super::{BOTH, RESOURCE, SHORT, merge, merged_ids, receive, run_jobs};
use crate::support::bodies::{at, base, decline, event, message, quote_of, trip, trip_cancelled};
use crate::support::cluster::Db;
use crate::support::documents::{enqueue_quote, worker_with_documents};
use crate::support::sessions::{SessionBuilder, count_and_primary, set_rfq, view, with_primary};
use crate::support::snapshot::dead_jobs;
use crate::support::sql::text;
use crate::support::worker::run_until_idle;

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_both_ids_count_the_quotes_of_both_once_and_are_found_by_either() {
    let db = Db::new().await;
    let short = SessionBuilder::of_trip("a1b2c3").insert(&db.pool).await;
    let resource = SessionBuilder::of_trip("64956150").insert(&db.pool).await;
    let unrelated = SessionBuilder::of_trip("Z9Y8X7").insert(&db.pool).await;
    let bodies = [
        quote_of(SHORT, "q1", 1),
        quote_of(SHORT, "both", 2),
        quote_of(RESOURCE, "both", 3),
        quote_of(RESOURCE, "q2", 5),
        quote_of("Z9Y8X7", "q3", 9),
    ];
    receive(&db.pool, &bodies).await;
    assert_eq!(count_and_primary(&db.pool, short).await, with_primary(2, "both"));
    assert_eq!(count_and_primary(&db.pool, resource).await, with_primary(2, "q2"));

    merge(&db.pool, BOTH).await;
    for session in [short, resource] {
        assert_eq!(count_and_primary(&db.pool, session).await, with_primary(3, "q2"));
    }
    assert_eq!(count_and_primary(&db.pool, unrelated).await, with_primary(1, "q3"));
    let outcome = "SELECT outcome || ': ' || detail FROM avinode_ingest.outcomes WHERE kind = 'fetch_follow_up'";
    let outcome = text(&db.pool, outcome).await.unwrap();
    assert_eq!(outcome, "applied: A1B2C3 is atrip-64956150; sessions changed: 2");

    // Later events and later sessions may use either id.
    let late = SessionBuilder::of_trip(" A1b2C3").insert(&db.pool).await;
    receive(&db.pool, &[quote_of(SHORT, "q4", 10), quote_of("64956150", "q5", 11)]).await;
    for session in [short, resource, late] {
        assert_eq!(count_and_primary(&db.pool, session).await, with_primary(5, "q5"));
    }
    for id in ["a1b2c3", RESOURCE] {
        let filter = SessionFilter {
            trip_id: Some(TripId::parse(id).unwrap()),
            ..SessionFilter::default()
        };
        let sessions = SessionService::new(db.pool.service(), Clock::Fixed(base()));
        let mut found: Vec<_> = sessions.list(&filter, &PageRequest::default()).await.unwrap().data;
        found.sort_by_key(|session| session.id);
        let mut expected = [short, resource, late];
        expected.sort();
        assert_eq!(found.iter().map(|session| session.id).collect::<Vec<_>>(), expected);
        let quotes = sessions.quotes(late, &PageRequest::default()).await.unwrap().data;
        assert_eq!(quotes.iter().filter(|quote| quote.operator_name.is_some()).count(), 5);
    }
    assert_eq!(dead_jobs(&db.pool).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_facts_of_both_trips_are_stored_under_the_canonical_id() {
    let db = Db::new().await;
    let one = SessionBuilder::of_trip(SHORT).insert(&db.pool).await;
    let bodies = [
        quote_of(SHORT, "q1", 1),
        quote_of(RESOURCE, "q1", 4),
        message("evt-m1", SHORT, "amsg-1", 2),
        message("evt-m2", RESOURCE, "amsg-1", 2),
        message("evt-m3", RESOURCE, "amsg-2", 8),
        message("evt-m4", SHORT, "amsg-3", 8),
        trip("evt-t1", RESOURCE, "arfq-9", "created", 1),
        trip("evt-t2", SHORT, "arfq-8", "created", 1),
        trip_cancelled("evt-t3", SHORT, 7),
        trip("evt-t4", RESOURCE, "arfq-8", "updated", 6),
        decline("evt-d1", RESOURCE, "arfq-q1", 9),
    ];
    receive(&db.pool, &bodies).await;
    assert_eq!(count_and_primary(&db.pool, one).await, with_primary(1, "q1"));
    merge(&db.pool, BOTH).await;
    let seen = view(&db.pool, one).await;
    assert_eq!(
        (seen.quotes_received_count, seen.primary_quote),
        (1, None),
        "it is declined under the other id"
    );
    assert_eq!((seen.quotes_expected_count, seen.operators_contacted_count), (2, 2));
    assert_eq!(seen.avinode_trip_status.as_deref(), Some("cancelled"));
    let facts = "SELECT string_agg(trip_key || ' ' || fact, '; ' ORDER BY trip_key, fact) FROM (
            SELECT trip_key, quote_id || ' ' || extract(epoch FROM fact_at - first_fact_at)::int AS fact
            FROM avinode_ingest.quote_facts
            UNION ALL SELECT trip_key, rfq_id FROM avinode_ingest.rfqs
            UNION ALL SELECT trip_key, message_id FROM avinode_ingest.messages
            UNION ALL SELECT key, status FROM avinode_ingest.trips WHERE status IS NOT NULL
        ) AS facts";
    let expected = [
        "amsg-1",
        "amsg-2",
        "amsg-3",
        "arfq-8",
        "arfq-9",
        "arfq-q1",
        "cancelled",
        "q1 3",
    ];
    let expected = expected.map(|fact| format!("{RESOURCE} {fact}")).join("; ");
    assert_eq!(text(&db.pool, facts).await, Some(expected));
    let activity = "SELECT extract(epoch FROM last_activity_at)::text FROM avinode_ingest.trips
        WHERE last_activity_at IS NOT NULL";
    assert_eq!(
        text(&db.pool, activity).await.unwrap(),
        format!("{}.000000", base().timestamp())
    );

    // A known message is known under both ids.
    let before = text(&db.pool, "SELECT count(*)::text FROM avinode_ingest.timeline").await;
    let again = [
        message("evt-m5", SHORT, "amsg-2", 8),
        message("evt-m6", RESOURCE, "amsg-3", 8),
    ];
    receive(&db.pool, &again).await;
    assert_eq!(
        text(&db.pool, "SELECT count(*)::text FROM avinode_ingest.timeline").await,
        before
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn merges_in_any_order_end_in_the_same_canonical_id() {
    let pairs: [&[&str]; 3] = [&["A1B2C3", "Z9Y8X7"], &["Z9Y8X7", "atrip-2"], &["atrip-2", "atrip-1"]];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let db = Db::new().await;
        let mut sessions = Vec::new();
        for (n, id) in ["A1B2C3", "Z9Y8X7", "atrip-2", "atrip-1"].into_iter().enumerate() {
            sessions.push(SessionBuilder::of_trip(id).insert(&db.pool).await);
            receive(&db.pool, &[quote_of(id, &format!("q{n}"), 3)]).await;
        }
        for place in order {
            merge(&db.pool, &[pairs[place]]).await;
        }
        let merged = merged_ids(&db.pool).await;
        let expected = ["A1B2C3", "Z9Y8X7", "atrip-2"].map(|id| (id.to_owned(), "atrip-1".to_owned()));
        assert_eq!(merged, expected, "{order:?}");
        for session in sessions {
            assert_eq!(
                count_and_primary(&db.pool, session).await,
                with_primary(4, "q0"),
                "{order:?}"
            );
        }
    }
    // All in one batch, and then a document without a change.
    let db = Db::new().await;
    merge(&db.pool, &pairs).await;
    merge(&db.pool, &[pairs[2], pairs[0]]).await;
    assert_eq!(merged_ids(&db.pool).await.len(), 3);
    let known = "SELECT count(*)::text FROM avinode_ingest.outcomes WHERE outcome = 'nothing'";
    assert_eq!(text(&db.pool, known).await.as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_with_both_ids_and_a_quote_merges_the_trips_and_adds_the_quote() {
    let db = Db::new().await;
    let (short, resource) = (
        SessionBuilder::of_trip(SHORT).insert(&db.pool).await,
        SessionBuilder::of_trip(RESOURCE).insert(&db.pool).await,
    );
    receive(&db.pool, &[quote_of(SHORT, "q1", 9)]).await;
    enqueue_quote(&db.pool, &[SHORT, RESOURCE], "q2", 4).await;
    run_jobs(&db.pool).await;
    for session in [short, resource] {
        assert_eq!(count_and_primary(&db.pool, session).await, with_primary(2, "q1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduled_expiry_under_a_merged_id_expires_the_quote_for_sessions_of_both_ids() {
    let db = Db::new().await;
    let (short, resource) = (
        SessionBuilder::of_trip(SHORT).insert(&db.pool).await,
        SessionBuilder::of_trip(RESOURCE).insert(&db.pool).await,
    );
    let mut body = quote_of(SHORT, "q1", 1);
    body["data"]["quote"]["validUntil"] = json!(at(60));
    receive(&db.pool, &[body]).await;
    merge(&db.pool, BOTH).await;
    assert_eq!(count_and_primary(&db.pool, resource).await, with_primary(1, "q1"));
    db.run("UPDATE avinode_ingest.jobs SET due_at = now() WHERE kind = 'quote_expiry'")
        .await;
    let later = Clock::Fixed(base() + chrono::Duration::seconds(61));
    let worker = worker_with_documents(&db.pool, Default::default(), later);
    run_until_idle(&worker).await;
    for session in [short, resource] {
        assert_eq!(count_and_primary(&db.pool, session).await, (1, None));
    }
    let lines = "SELECT count(*)::text FROM avinode_ingest.timeline WHERE kind = 'quote_expired'";
    assert_eq!(text(&db.pool, lines).await.as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_whose_trip_id_changes_is_matched_with_its_new_trip() {
    let db = Db::new().await;
    let one = SessionBuilder::of_trip(SHORT).insert(&db.pool).await;
    receive(&db.pool, &[quote_of(RESOURCE, "q1", 1), quote_of("atrip-2", "q2", 1)]).await;
    merge(&db.pool, BOTH).await;
    assert_eq!(count_and_primary(&db.pool, one).await, with_primary(1, "q1"));
    for (id, primary) in [
        ("NULL", None),
        ("'64956150'", Some("q1")),
        ("'2'", Some("q2")),
        ("' a1b2c3 '", Some("q1")),
    ] {
        db.run(&format!("UPDATE public.chat_sessions SET avinode_trip_id = {id}"))
            .await;
        run_jobs(&db.pool).await;
        assert_eq!(count_and_primary(&db.pool, one).await.1.as_deref(), primary, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_id_of_a_session_takes_the_merged_trip_from_the_session_that_holds_its_rfq() {
    let db = Db::new().await;
    let holder = SessionBuilder::of_trip("atrip-7").insert(&db.pool).await;
    let sibling = SessionBuilder::of_trip("atrip-7").insert(&db.pool).await;
    set_rfq(&db.pool, holder, Some("ARFQ-q1")).await;
    merge(&db.pool, BOTH).await;
    receive(&db.pool, &[quote_of(SHORT, "q1", 1)]).await;
    // No session has either trip id, so the trip belongs to the holder of the RFQ and the other sessions of its trip.
    for session in [holder, sibling] {
        assert_eq!(count_and_primary(&db.pool, session).await, with_primary(1, "q1"));
    }
    let own = SessionBuilder::of_trip("a1b2c3").insert(&db.pool).await;
    run_jobs(&db.pool).await;
    assert_eq!(count_and_primary(&db.pool, own).await, with_primary(1, "q1"));
    for session in [holder, sibling] {
        assert_eq!(
            count_and_primary(&db.pool, session).await,
            (1, None),
            "another session has the trip id by now"
        );
    }
    let cancelled = json!({"type": "TripRequestMine", "trip": {"id": SHORT}, "action": "cancelled"});
    let bodies = [
        quote_of(RESOURCE, "q2", 2),
        event("TripRequestMine", "evt-cancelled", 3, cancelled),
    ];
    receive(&db.pool, &bodies).await;
    assert_eq!(count_and_primary(&db.pool, own).await, with_primary(2, "q2"));
    for session in [holder, sibling] {
        assert_eq!(count_and_primary(&db.pool, session).await, (1, None));
        assert_eq!(view(&db.pool, session).await.avinode_trip_status, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_holds_an_rfq_of_a_merged_trip_gets_all_of_its_quotes() {
    for merged_first in [true, false] {
        let db = Db::new().await;
        let holder = SessionBuilder::new().insert(&db.pool).await;
        if merged_first {
            merge(&db.pool, BOTH).await;
            set_rfq(&db.pool, holder, Some("arfq-q1")).await;
        }
        receive(&db.pool, &[quote_of(SHORT, "q1", 1), quote_of(RESOURCE, "q2", 2)]).await;
        if !merged_first {
            set_rfq(&db.pool, holder, Some("arfq-q1")).await;
            run_jobs(&db.pool).await;
            assert_eq!(count_and_primary(&db.pool, holder).await, with_primary(1, "q1"));
            merge(&db.pool, BOTH).await;
        }
        assert_eq!(
            count_and_primary(&db.pool, holder).await,
            with_primary(2, "q2"),
            "{merged_first}"
        );
        receive(&db.pool, &[quote_of(RESOURCE, "q3", 3)]).await;
        assert_eq!(
            count_and_primary(&db.pool, holder).await,
            with_primary(3, "q3"),
            "{merged_first}"
        );
    }
}
