//! A conversation has one open session, also with concurrent calls.

use std::sync::Arc;

use avinode_ingest::domain::chat_session::input::NewChatSession;
use avinode_ingest::domain::chat_session::status::OpenStatus;
use serde_json::json;
use tokio::sync::Barrier;
use uuid::Uuid;

use super::{create, field, moment, sessions};
use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::sessions::{SessionReferences, insert_agent};

#[tokio::test(flavor = "multi_thread")]
async fn the_second_call_updates_only_the_given_fields() {
    for db in [Db::new().await, Db::attached().await] {
        let references = SessionReferences::insert(&db.pool).await;
        let first = NewChatSession {
            current_step: Some("understanding_request".to_owned()),
            workflow_state: json!({"pax": 4}).as_object().cloned(),
            ..references.input()
        };
        let made = sessions(&db.pool, 0).create_or_update(&first).await.unwrap();
        assert!(made.created);
        let made = made.session;
        assert_eq!(
            (made.status.as_str(), made.conversation_id),
            ("active", references.conversation)
        );
        assert_eq!(made.conversation_subject.as_deref(), Some("To Palm Beach"));
        assert_eq!(made.departure_airport.as_deref(), Some("KTEB"));
        assert_eq!(made.session_started_at, Some(moment(0)));
        assert_eq!(made.message_count, 0);

        let second = NewChatSession {
            request_id: None,
            current_step: Some("waiting for the client's wife".to_owned()),
            ..references.input()
        };
        let updated = sessions(&db.pool, 9).create_or_update(&second).await.unwrap();
        assert!(!updated.created);
        let updated = updated.session;
        assert_eq!(updated.id, made.id);
        assert_eq!(updated.request_id, Some(references.request));
        assert_eq!(updated.workflow_state, Some(json!({"pax": 4})));
        assert_eq!(updated.current_step.as_deref(), Some("waiting for the client's wife"));
        assert_eq!(updated.session_started_at, Some(moment(0)));
        assert_eq!(updated.last_activity_at, Some(moment(9)));
        let late = sessions(&db.pool, 5).create_or_update(&second).await.unwrap().session;
        assert_eq!(late.last_activity_at, Some(moment(9)), "activity never moves back");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_calls_create_one_session() {
    let db = Db::new().await;
    for _ in 0..5 {
        let references = SessionReferences::insert(&db.pool).await;
        let together = Arc::new(Barrier::new(6));
        let calls: Vec<_> = (0..6)
            .map(|_| {
                let (sessions, together) = (sessions(&db.pool, 0), together.clone());
                tokio::spawn(async move {
                    together.wait().await;
                    sessions.create_or_update(&references.input()).await.unwrap()
                })
            })
            .collect();
        let mut created = 0;
        for call in calls {
            created += i32::from(call.await.unwrap().created);
        }
        assert_eq!(created, 1);
        assert_eq!(sessions_of(&db.pool, references.conversation).await, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_session_is_resumed_and_a_completed_one_is_not() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let first = create(&db.pool, references).await;
    let tracking = sessions(&db.pool, 1);
    tracking.pause(first.id).await.unwrap();
    let still = NewChatSession {
        status: Some(OpenStatus::Paused),
        ..references.input()
    };
    let still = tracking.create_or_update(&still).await.unwrap();
    assert_eq!((still.session.id, still.session.status.as_str()), (first.id, "paused"));
    let resumed = tracking.create_or_update(&references.input()).await.unwrap();
    assert_eq!(
        (resumed.session.id, resumed.session.status.as_str()),
        (first.id, "active")
    );
    tracking.complete(first.id).await.unwrap();
    let next = tracking.create_or_update(&references.input()).await.unwrap();
    assert!(next.created && next.session.id != first.id);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_open_sessions_the_active_one_with_the_newest_activity_is_updated() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let mut ids = Vec::new();
    for (status, seconds) in [("paused", 30), ("active", 10), ("active", 20), ("active", 15)] {
        let id: Uuid = sqlx::query_scalar(
            "INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, status, last_activity_at)
             VALUES ($1, $2, $3::public.chat_session_status, $4) RETURNING id",
        )
        .bind(references.conversation)
        .bind(references.agent)
        .bind(status)
        .bind(moment(seconds))
        .fetch_one(&db.pool)
        .await
        .unwrap();
        ids.push(id);
    }
    let taken = sessions(&db.pool, 40)
        .create_or_update(&references.input())
        .await
        .unwrap();
    assert_eq!((taken.created, taken.session.id), (false, ids[2]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_field_or_reference_is_named() {
    for db in [Db::new().await, Db::attached().await] {
        let references = SessionReferences::insert(&db.pool).await;
        let tracking = sessions(&db.pool, 0);
        let missing = Uuid::from_u128(7);
        for (wrong, name) in [
            (
                NewChatSession {
                    conversation_id: missing,
                    ..references.input()
                },
                "conversation_id",
            ),
            (
                NewChatSession {
                    iso_agent_id: missing,
                    ..references.input()
                },
                "iso_agent_id",
            ),
            (
                NewChatSession {
                    request_id: Some(missing),
                    ..references.input()
                },
                "request_id",
            ),
            (
                NewChatSession {
                    avinode_trip_id: Some(" ".to_owned()),
                    ..references.input()
                },
                "avinode_trip_id",
            ),
            (
                NewChatSession {
                    metadata: json!({"note": "a\u{0}b"}).as_object().cloned(),
                    ..references.input()
                },
                "metadata",
            ),
        ] {
            assert_eq!(field(tracking.create_or_update(&wrong).await), name);
        }
        assert_eq!(sessions_of(&db.pool, references.conversation).await, 0);
        create(&db.pool, references).await;
        let other = NewChatSession {
            iso_agent_id: insert_agent(&db.pool).await,
            ..references.input()
        };
        assert_eq!(field(tracking.create_or_update(&other).await), "iso_agent_id");
    }
}

async fn sessions_of(pool: &Pool, conversation: Uuid) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM public.chat_sessions WHERE conversation_id = $1")
        .bind(conversation)
        .fetch_one(pool)
        .await
        .unwrap()
}
