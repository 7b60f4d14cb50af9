//! Sessions are found by every filter and all of them together, page by page, without reading them all.

use crate::support::pool::Pool;
use avinode_ingest::domain::chat_session::page::{PageRequest, SessionFilter};
use avinode_ingest::domain::chat_session::status::SessionStatus;
use avinode_ingest::domain::ids::TripId;
use avinode_ingest::store::chat_sessions::page::statement;
use uuid::Uuid;

use super::{field, made, moment, sessions};
use crate::support::cluster::Db;
use crate::support::plan::{plan, sessions_read};
use crate::support::setup::Stage;

async fn found(pool: &Pool, filter: SessionFilter) -> Vec<Uuid> {
    let listed = sessions(pool, 0).list(&filter, &PageRequest::default()).await.unwrap();
    assert_eq!(listed.next, None);
    listed.data.into_iter().map(|session| session.id).collect()
}

/// Sets columns of a session, as the application does.
async fn set(pool: &Pool, session: Uuid, columns: &str) {
    let statement = format!("UPDATE public.chat_sessions SET {columns} WHERE id = '{session}'");
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn each_filter_finds_its_sessions_and_together_they_find_fewer() {
    for db in [Db::new().await, Db::attached().await] {
        let (one, other) = (Stage::set(&db.pool).await, Stage::set(&db.pool).await);
        let (a, b) = (made(&db.pool, one).await.id, made(&db.pool, other).await.id);
        let quote = one.quote(&db.pool, Some("aquote-1")).await;
        set(
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
    let (one, other) = (Stage::set(&db.pool).await, Stage::set(&db.pool).await);
    let (a, b) = (made(&db.pool, one).await.id, made(&db.pool, other).await.id);
    set(
        &db.pool,
        a,
        "avinode_trip_id = '64956150', last_activity_at = '2026-01-02'",
    )
    .await;
    set(
        &db.pool,
        b,
        "avinode_trip_id = 'a1b2c3', last_activity_at = '2026-01-01'",
    )
    .await;
    sqlx::raw_sql(
        "INSERT INTO avinode_ingest.trips (key, merged_into) VALUES ('atrip-64956150', NULL), ('A1B2C3', 'atrip-64956150')",
    )
    .execute(&db.pool)
    .await
    .unwrap();
    for id in ["A1B2C3", "64956150", "ATRIP-64956150"] {
        let filter = SessionFilter {
            trip_id: Some(TripId::parse(id).unwrap()),
            ..SessionFilter::default()
        };
        assert_eq!(found(&db.pool, filter).await, [a, b], "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_one_another_without_a_gap_also_where_activity_is_equal_or_no_moment() {
    let db = Db::new().await;
    let mut made_ids = Vec::new();
    for number in 0..9 {
        let session = made(&db.pool, Stage::set(&db.pool).await).await.id;
        let activity = ["infinity", "-infinity", "2026-01-01", "2026-01-01T00:00:00.000001Z"][number % 4];
        let status = ["active", "completed"][number % 2];
        set(
            &db.pool,
            session,
            &format!("last_activity_at = '{activity}', status = '{status}'"),
        )
        .await;
        made_ids.push(session);
    }
    let all = sessions(&db.pool, 0)
        .list(&SessionFilter::default(), &PageRequest::default())
        .await
        .unwrap()
        .data;
    let activity: Vec<_> = all.iter().map(|session| session.last_activity_at).collect();
    assert_eq!(activity[..3], [None; 3], "infinity is the newest");
    let all: Vec<Uuid> = all.into_iter().map(|session| session.id).collect();
    let mut paged = Vec::new();
    let mut page = PageRequest { after: None, limit: 2 };
    loop {
        let listed = sessions(&db.pool, 0)
            .list(&SessionFilter::default(), &page)
            .await
            .unwrap();
        paged.extend(listed.data.into_iter().map(|session| session.id));
        match listed.next {
            Some(next) => page.after = Some(next),
            None => break,
        }
    }
    assert_eq!(paged, all);
    paged.sort();
    made_ids.sort();
    assert_eq!(paged, made_ids);
    for limit in [0, 201] {
        let refused = sessions(&db.pool, 0)
            .list(&SessionFilter::default(), &PageRequest { after: None, limit })
            .await;
        assert_eq!(field(refused.map(|listed| listed.data)), "limit");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_reads_or_sorts_the_whole_table() {
    let db = Db::new().await;
    let stage = Stage::set(&db.pool).await;
    sqlx::query(
        "INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, request_id, status, last_activity_at,
            avinode_trip_id, avinode_rfp_id, avinode_rfq_id)
         SELECT $1, $2, NULL, (ARRAY['active', 'paused', 'completed', 'archived'])[1 + n % 4]::public.chat_session_status,
            $3::timestamptz + n * interval '1 second', 'atrip-' || n, 'rfp-' || n, 'arfq-' || n
         FROM generate_series(1, 20000) AS n",
    )
    .bind(stage.conversation)
    .bind(stage.agent)
    .bind(moment(0))
    .execute(&db.pool)
    .await
    .unwrap();
    sqlx::raw_sql("ANALYZE public.chat_sessions")
        .execute(&db.pool)
        .await
        .unwrap();
    let all = SessionFilter::default();
    let after = sessions(&db.pool, 0)
        .list(&all, &PageRequest::default())
        .await
        .unwrap()
        .next;
    for filter in [
        all.clone(),
        SessionFilter {
            status: Some(SessionStatus::Active),
            ..all.clone()
        },
        SessionFilter {
            iso_agent_id: Some(stage.agent),
            ..all.clone()
        },
        SessionFilter {
            iso_agent_id: Some(stage.agent),
            status: Some(SessionStatus::Active),
            ..all.clone()
        },
        SessionFilter {
            request_id: Some(stage.request),
            ..all.clone()
        },
        SessionFilter {
            rfp_id: Some("rfp-77".to_owned()),
            ..all.clone()
        },
        SessionFilter {
            rfq_id: Some("arfq-77".to_owned()),
            status: Some(SessionStatus::Active),
            ..all.clone()
        },
        SessionFilter {
            trip_id: Some(TripId::parse("77").unwrap()),
            ..all.clone()
        },
        SessionFilter {
            trip_id: Some(TripId::parse("77").unwrap()),
            status: Some(SessionStatus::Active),
            ..all.clone()
        },
    ] {
        for after in [None, after] {
            let page = PageRequest {
                after,
                ..PageRequest::default()
            };
            let query = statement(&filter, &["atrip-77".to_owned()], &page);
            let read = sessions_read(&plan(&db.pool, query).await);
            assert!(read <= 300.0, "{read} sessions read for {filter:?} after {after:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn active_sessions_are_counted_by_step() {
    let db = Db::new().await;
    for step in ["requesting_quotes", "requesting_quotes", "my own", "gone"] {
        let session = made(&db.pool, Stage::set(&db.pool).await).await.id;
        let status = if step == "gone" { "completed" } else { "active" };
        set(
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
