//! What becomes of sessions and facts when two trips turn out to be one.

use avinode_ingest::clock::Clock;
use avinode_ingest::domain::chat_session::page::{PageRequest, SessionFilter};
use avinode_ingest::domain::ids::TripId;
use avinode_ingest::sessions::service::SessionService;
use serde_json::json;

use super::{BOTH, RESOURCE, SHORT, counted, leads, quoted, shown, some, text, told, view, work};
use crate::support::bodies::{base, decline, event, message, trip};
use crate::support::cluster::Db;
use crate::support::documents::show_quote;
use crate::support::service::session;
use crate::support::snapshot::dead_jobs;

#[tokio::test(flavor = "multi_thread")]
async fn sessions_of_both_ids_count_the_quotes_of_both_once_and_are_found_by_either() {
    let db = Db::new().await;
    let short = session(&db.pool, Some("a1b2c3")).await;
    let resource = session(&db.pool, Some("64956150")).await;
    let stranger = session(&db.pool, Some("Z9Y8X7")).await;
    let bodies = [
        quoted(SHORT, "q1", 1),
        quoted(SHORT, "both", 2),
        quoted(RESOURCE, "both", 3),
        quoted(RESOURCE, "q2", 5),
        quoted("Z9Y8X7", "q3", 9),
    ];
    told(&db.pool, &bodies).await;
    assert_eq!(counted(&db.pool, short).await, some(2, "both"));
    assert_eq!(counted(&db.pool, resource).await, some(2, "q2"));

    shown(&db.pool, BOTH).await;
    for session in [short, resource] {
        assert_eq!(counted(&db.pool, session).await, some(3, "q2"));
    }
    assert_eq!(counted(&db.pool, stranger).await, some(1, "q3"));
    let outcome = "SELECT outcome || ': ' || detail FROM avinode_ingest.outcomes WHERE kind = 'fetch_follow_up'";
    let outcome = text(&db.pool, outcome).await.unwrap();
    assert_eq!(outcome, "applied: A1B2C3 is atrip-64956150; sessions changed: 2");

    // And whatever comes under either from then on, for sessions that are made with either.
    let late = session(&db.pool, Some(" A1b2C3")).await;
    told(&db.pool, &[quoted(SHORT, "q4", 10), quoted("64956150", "q5", 11)]).await;
    for session in [short, resource, late] {
        assert_eq!(counted(&db.pool, session).await, some(5, "q5"));
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
async fn everything_that_is_known_of_both_stands_under_one_id_and_none_under_the_other() {
    let db = Db::new().await;
    let one = session(&db.pool, Some(SHORT)).await;
    let bodies = [
        quoted(SHORT, "q1", 1),
        quoted(RESOURCE, "q1", 4),
        message("evt-m1", SHORT, "amsg-1", 2),
        message("evt-m2", RESOURCE, "amsg-1", 2),
        message("evt-m3", RESOURCE, "amsg-2", 8),
        message("evt-m4", SHORT, "amsg-3", 8),
        trip("evt-t1", RESOURCE, "arfq-9", "created", 1),
        trip("evt-t2", SHORT, "arfq-8", "created", 1),
        trip("evt-t3", SHORT, "arfq-8", "cancelled", 7),
        trip("evt-t4", RESOURCE, "arfq-8", "updated", 6),
        decline("evt-d1", RESOURCE, "arfq-q1", 9),
    ];
    told(&db.pool, &bodies).await;
    assert_eq!(counted(&db.pool, one).await, some(1, "q1"));
    shown(&db.pool, BOTH).await;
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
            FROM avinode_ingest.quotes
            UNION ALL SELECT trip_key, request_id FROM avinode_ingest.requests
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

    // Known messages are known under the other id as well.
    let before = text(&db.pool, "SELECT count(*)::text FROM avinode_ingest.timeline").await;
    let again = [
        message("evt-m5", SHORT, "amsg-2", 8),
        message("evt-m6", RESOURCE, "amsg-3", 8),
    ];
    told(&db.pool, &again).await;
    assert_eq!(
        text(&db.pool, "SELECT count(*)::text FROM avinode_ingest.timeline").await,
        before
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_joined_in_any_order_end_under_the_same_one_in_one_step() {
    let pairs: [&[&str]; 3] = [&["A1B2C3", "Z9Y8X7"], &["Z9Y8X7", "atrip-2"], &["atrip-2", "atrip-1"]];
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let db = Db::new().await;
        let mut sessions = Vec::new();
        for (n, id) in ["A1B2C3", "Z9Y8X7", "atrip-2", "atrip-1"].into_iter().enumerate() {
            sessions.push(session(&db.pool, Some(id)).await);
            told(&db.pool, &[quoted(id, &format!("q{n}"), 3)]).await;
        }
        for place in order {
            shown(&db.pool, &[pairs[place]]).await;
        }
        let leads = leads(&db.pool).await;
        let expected = ["A1B2C3", "Z9Y8X7", "atrip-2"].map(|id| (id.to_owned(), "atrip-1".to_owned()));
        assert_eq!(leads, expected, "{order:?}");
        for session in sessions {
            assert_eq!(counted(&db.pool, session).await, some(4, "q0"), "{order:?}");
        }
    }
    // All in one batch, and one that shows what is known.
    let db = Db::new().await;
    shown(&db.pool, &pairs).await;
    shown(&db.pool, &[pairs[2], pairs[0]]).await;
    assert_eq!(leads(&db.pool).await.len(), 3);
    let known = "SELECT count(*)::text FROM avinode_ingest.outcomes WHERE outcome = 'nothing'";
    assert_eq!(text(&db.pool, known).await.as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_shows_both_ids_and_states_a_quote_does_both_at_once() {
    let db = Db::new().await;
    let (short, resource) = (
        session(&db.pool, Some(SHORT)).await,
        session(&db.pool, Some(RESOURCE)).await,
    );
    told(&db.pool, &[quoted(SHORT, "q1", 9)]).await;
    show_quote(&db.pool, &[SHORT, RESOURCE], "q2", 4).await;
    work(&db.pool).await;
    for session in [short, resource] {
        assert_eq!(counted(&db.pool, session).await, some(2, "q1"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quote_that_was_to_expire_under_an_id_that_gave_way_expires_for_sessions_of_both() {
    let db = Db::new().await;
    let (short, resource) = (
        session(&db.pool, Some(SHORT)).await,
        session(&db.pool, Some(RESOURCE)).await,
    );
    let mut body = quoted(SHORT, "q1", 1);
    body["data"]["quote"]["validUntil"] = json!(crate::support::bodies::at(60));
    told(&db.pool, &[body]).await;
    shown(&db.pool, BOTH).await;
    assert_eq!(counted(&db.pool, resource).await, some(1, "q1"));
    db.run("UPDATE avinode_ingest.jobs SET due_at = now() WHERE kind = 'quote_expiry'")
        .await;
    let later = Clock::Fixed(base() + chrono::Duration::seconds(61));
    let shift = crate::support::documents::shift_with_documents(&db.pool, Default::default(), later);
    crate::support::service::drain(&shift, "w").await;
    for session in [short, resource] {
        assert_eq!(counted(&db.pool, session).await, (1, None));
    }
    let lines = "SELECT count(*)::text FROM avinode_ingest.timeline WHERE kind = 'quote_expired'";
    assert_eq!(text(&db.pool, lines).await.as_deref(), Some("2"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_gives_up_its_id_is_matched_again_under_whatever_it_has_next() {
    let db = Db::new().await;
    let one = session(&db.pool, Some(SHORT)).await;
    told(&db.pool, &[quoted(RESOURCE, "q1", 1), quoted("atrip-2", "q2", 1)]).await;
    shown(&db.pool, BOTH).await;
    assert_eq!(counted(&db.pool, one).await, some(1, "q1"));
    for (id, primary) in [
        ("NULL", None),
        ("'64956150'", Some("q1")),
        ("'2'", Some("q2")),
        ("' a1b2c3 '", Some("q1")),
    ] {
        db.run(&format!("UPDATE public.chat_sessions SET avinode_trip_id = {id}"))
            .await;
        work(&db.pool).await;
        assert_eq!(counted(&db.pool, one).await.1.as_deref(), primary, "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_rfq_of_a_trip_that_a_session_has_by_its_other_id_is_that_sessions_alone() {
    let db = Db::new().await;
    let holder = session(&db.pool, Some("atrip-7")).await;
    let beside = session(&db.pool, Some("atrip-7")).await;
    db.run(&format!(
        "UPDATE public.chat_sessions SET avinode_rfq_id = 'ARFQ-q1' WHERE id = '{holder}'"
    ))
    .await;
    shown(&db.pool, BOTH).await;
    told(&db.pool, &[quoted(SHORT, "q1", 1)]).await;
    // Nobody has the trip by either id: it is the holder's, and that of the sessions beside it.
    for session in [holder, beside] {
        assert_eq!(counted(&db.pool, session).await, some(1, "q1"));
    }
    let own = session(&db.pool, Some("a1b2c3")).await;
    work(&db.pool).await;
    assert_eq!(counted(&db.pool, own).await, some(1, "q1"));
    for session in [holder, beside] {
        assert_eq!(
            counted(&db.pool, session).await,
            (1, None),
            "somebody has the trip itself by now"
        );
    }
    let cancelled = json!({"type": "TripRequestMine", "trip": {"id": SHORT}, "action": "cancelled"});
    let bodies = [
        quoted(RESOURCE, "q2", 2),
        event("TripRequestMine", "evt-cancelled", 3, cancelled),
    ];
    told(&db.pool, &bodies).await;
    assert_eq!(counted(&db.pool, own).await, some(2, "q2"));
    for session in [holder, beside] {
        assert_eq!(counted(&db.pool, session).await, (1, None));
        assert_eq!(view(&db.pool, session).await.avinode_trip_status, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_holds_an_rfq_of_a_merged_trip_finds_all_of_it() {
    for merged_first in [true, false] {
        let db = Db::new().await;
        let holder = session(&db.pool, None).await;
        let hold = format!("UPDATE public.chat_sessions SET avinode_rfq_id = 'arfq-q1' WHERE id = '{holder}'");
        if merged_first {
            shown(&db.pool, BOTH).await;
            db.run(&hold).await;
        }
        told(&db.pool, &[quoted(SHORT, "q1", 1), quoted(RESOURCE, "q2", 2)]).await;
        if !merged_first {
            db.run(&hold).await;
            work(&db.pool).await;
            assert_eq!(counted(&db.pool, holder).await, some(1, "q1"));
            shown(&db.pool, BOTH).await;
        }
        assert_eq!(counted(&db.pool, holder).await, some(2, "q2"), "{merged_first}");
        told(&db.pool, &[quoted(RESOURCE, "q3", 3)]).await;
        assert_eq!(counted(&db.pool, holder).await, some(3, "q3"), "{merged_first}");
    }
}
