//! Filters of the list of sessions, and the counts by step.

use avinode_ingest::domain::chat_session::page::{PageRequest, SessionFilter};
use avinode_ingest::domain::chat_session::status::SessionStatus;
use avinode_ingest::domain::ids::TripId;
use uuid::Uuid;

use super::{create, sessions};
use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::sessions::{SessionReferences, update_session};

async fn found(pool: &Pool, filter: SessionFilter) -> Vec<Uuid> {
    let listed = sessions(pool, 0).list(&filter, &PageRequest::default()).await.unwrap();
    assert_eq!(listed.next, None);
    listed.data.into_iter().map(|session| session.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_selects_its_sessions_and_filters_are_combined_with_and() {
    for db in [Db::new().await, Db::attached().await] {
        let (one, other) = (
            SessionReferences::insert(&db.pool).await,
            SessionReferences::insert(&db.pool).await,
        );
        let (a, b) = (create(&db.pool, one).await.id, create(&db.pool, other).await.id);
        let quote = one.insert_quote(&db.pool, Some("aquote-1")).await;
        update_session(
            &db.pool,
            a,
            &format!(
                "avinode_trip_id = ' 4711', avinode_rfp_id = 'rfp-1', avinode_rfq_id = 'arfq-1', status = 'paused',
                 current_step = 'the client''s own', primary_quote_id = '{quote}'"
            ),
        )
        .await;
        let all = SessionFilter::default();
        for filter in [
            SessionFilter {
                conversation_id: Some(one.conversation),
                ..all.clone()
            },
            SessionFilter {
                request_id: Some(one.request),
                ..all.clone()
            },
            SessionFilter {
                iso_agent_id: Some(one.agent),
                ..all.clone()
            },
            SessionFilter {
                trip_id: Some(TripId::parse("ATRIP-4711").unwrap()),
                ..all.clone()
            },
            SessionFilter {
                rfp_id: Some("rfp-1".to_owned()),
                ..all.clone()
            },
            SessionFilter {
                rfq_id: Some("ARFQ-1 ".to_owned()),
                ..all.clone()
            },
            SessionFilter {
                current_step: Some("the client's own".to_owned()),
                ..all.clone()
            },
            SessionFilter {
                iso_agent_id: Some(one.agent),
                status: Some(SessionStatus::Paused),
                ..all.clone()
            },
            SessionFilter {
                request_id: Some(one.request),
                has_primary_quote: Some(true),
                ..all.clone()
            },
        ] {
            assert_eq!(found(&db.pool, filter.clone()).await, [a], "{filter:?}");
        }
        for filter in [
            SessionFilter {
                request_id: Some(one.request),
                has_primary_quote: Some(false),
                ..all.clone()
            },
            SessionFilter {
                iso_agent_id: Some(one.agent),
                status: Some(SessionStatus::Active),
                ..all.clone()
            },
            SessionFilter {
                iso_agent_id: Some(one.agent),
                request_id: Some(other.request),
                ..all.clone()
            },
        ] {
            assert!(found(&db.pool, filter.clone()).await.is_empty(), "{filter:?}");
        }
        assert_eq!(
            found(
                &db.pool,
                SessionFilter {
                    iso_agent_id: Some(other.agent),
                    ..all
                }
            )
            .await,
            [b]
        );
        let shown = sessions(&db.pool, 0).get(a).await.unwrap();
        assert_eq!(shown.operator_name.as_deref(), Some("Northwind Jets"));
        assert_eq!(shown.total_price.unwrap().to_string(), "48250.00");
        assert_eq!(shown.aircraft_type.as_deref(), Some("Light Jet"));
        assert_eq!(shown.departure_airport.as_deref(), Some("KTEB"));
        assert_eq!(shown.conversation_subject.as_deref(), Some("To Palm Beach"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_is_found_by_either_of_its_ids() {
    let db = Db::new().await;
    let (one, other) = (
        SessionReferences::insert(&db.pool).await,
        SessionReferences::insert(&db.pool).await,
    );
    let (a, b) = (create(&db.pool, one).await.id, create(&db.pool, other).await.id);
    update_session(
        &db.pool,
        a,
        "avinode_trip_id = '64956150', last_activity_at = '2026-01-02'",
    )
    .await;
    update_session(
        &db.pool,
        b,
        "avinode_trip_id = 'a1b2c3', last_activity_at = '2026-01-01'",
    )
    .await;
    db.run(
        "INSERT INTO avinode_ingest.trips (key, merged_into) VALUES ('atrip-64956150', NULL), ('A1B2C3', 'atrip-64956150')").await;
    for id in ["A1B2C3", "64956150", "ATRIP-64956150"] {
        let filter = SessionFilter {
            trip_id: Some(TripId::parse(id).unwrap()),
            ..SessionFilter::default()
        };
        assert_eq!(found(&db.pool, filter).await, [a, b], "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn active_sessions_are_counted_by_step() {
    let db = Db::new().await;
    for step in ["requesting_quotes", "requesting_quotes", "my own", "gone"] {
        let session = create(&db.pool, SessionReferences::insert(&db.pool).await).await.id;
        let status = if step == "gone" { "completed" } else { "active" };
        update_session(
            &db.pool,
            session,
            &format!("current_step = '{step}', status = '{status}'"),
        )
        .await;
    }
    let statistics = sessions(&db.pool, 0).statistics().await.unwrap();
    let steps: Vec<_> = statistics
        .by_step
        .iter()
        .map(|step| (step.current_step.as_deref().unwrap(), step.count))
        .collect();
    assert_eq!(
        (statistics.active, steps),
        (3, vec![("requesting_quotes", 2), ("my own", 1)])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn trips_and_rfqs_are_found_by_the_request_and_in_the_rfp_as_the_workers_find_them() {
    let db = Db::new().await;
    let mut made = Vec::new();
    for (own_trip, trip_of_request, rfp) in [
        ("NULL", "' ATRIP-4711'", "' ARFQ-1'"),
        // A trip id of its own comes before that of the request.
        ("'4712'", "'4711'", "'rfp-1'"),
        ("'4711'", "NULL", "'arfq-2'"),
        // Blank, as an application may store it.
        ("' '", "'4711'", "NULL"),
    ] {
        let references = SessionReferences::insert(&db.pool).await;
        let session = create(&db.pool, references).await.id;
        db.run(&format!(
            "UPDATE public.requests SET avinode_trip_id = {trip_of_request} WHERE id = '{}';
             UPDATE public.chat_sessions SET avinode_trip_id = {own_trip}, avinode_rfp_id = {rfp},
                last_activity_at = '2026-01-01'::timestamptz - {} * interval '1 day' WHERE id = '{session}'",
            references.request,
            made.len()
        ))
        .await;
        made.push(session);
    }
    let by_trip = |id: &str| SessionFilter {
        trip_id: Some(TripId::parse(id).unwrap()),
        ..SessionFilter::default()
    };
    let by_rfq = |id: &str| SessionFilter {
        rfq_id: Some(id.to_owned()),
        ..SessionFilter::default()
    };
    assert_eq!(found(&db.pool, by_trip("4711")).await, [made[0], made[2], made[3]]);
    assert_eq!(found(&db.pool, by_trip("4712")).await, [made[1]]);
    assert_eq!(found(&db.pool, by_rfq("arfq-1 ")).await, [made[0]]);
    assert_eq!(found(&db.pool, by_rfq("ARFQ-2")).await, [made[2]]);
    assert!(found(&db.pool, by_rfq("rfp-1")).await.is_empty());
    let both = SessionFilter {
        status: Some(SessionStatus::Active),
        rfq_id: Some("arfq-2".to_owned()),
        ..by_trip("4711")
    };
    assert_eq!(found(&db.pool, both).await, [made[2]]);
}
