//! Pages of the list of sessions: complete, and read from an index.

use avinode_ingest::domain::chat_session::page::{PageRequest, SessionFilter};
use avinode_ingest::domain::chat_session::status::SessionStatus;
use avinode_ingest::domain::ids::TripId;
use avinode_ingest::store::chat_sessions::page::statement;
use uuid::Uuid;

use super::{create, field, moment, sessions};
use crate::support::cluster::Db;
use crate::support::plan::{plan, sessions_read};
use crate::support::sessions::{SessionReferences, update_session};

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_no_gap_also_with_equal_or_infinite_activity() {
    let db = Db::new().await;
    let mut made_ids = Vec::new();
    for number in 0..9 {
        let session = create(&db.pool, SessionReferences::insert(&db.pool).await).await.id;
        let activity = ["infinity", "-infinity", "2026-01-01", "2026-01-01T00:00:00.000001Z"][number % 4];
        let status = ["active", "completed"][number % 2];
        update_session(
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
        let rejected = sessions(&db.pool, 0)
            .list(&SessionFilter::default(), &PageRequest { after: None, limit })
            .await;
        assert_eq!(field(rejected.map(|listed| listed.data)), "limit");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_list_reads_or_sorts_the_whole_table() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    sqlx::query(
        "INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, request_id, status, last_activity_at,
            avinode_trip_id, avinode_rfp_id, avinode_rfq_id)
         SELECT $1, $2, NULL, (ARRAY['active', 'paused', 'completed', 'archived'])[1 + n % 4]::public.chat_session_status,
            $3::timestamptz + n * interval '1 second', 'atrip-' || n, 'rfp-' || n, 'arfq-' || n
         FROM generate_series(1, 20000) AS n",
    )
    .bind(references.conversation)
    .bind(references.agent)
    .bind(moment(0))
    .execute(&db.pool)
    .await
    .unwrap();
    db.run("ANALYZE public.chat_sessions").await;
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
            iso_agent_id: Some(references.agent),
            ..all.clone()
        },
        SessionFilter {
            iso_agent_id: Some(references.agent),
            status: Some(SessionStatus::Active),
            ..all.clone()
        },
        SessionFilter {
            request_id: Some(references.request),
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
