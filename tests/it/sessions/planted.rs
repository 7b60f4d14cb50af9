//! A session that another agent planted in a conversation stands in the way of none of the conversation's own agent.

use avinode_ingest::domain::chat_session::input::NewChatSession;
use avinode_ingest::sessions::error::SessionError;
use uuid::Uuid;

use super::sessions;
use crate::support::cluster::Db;
use crate::support::pool::Pool;
use crate::support::sessions::{SessionReferences, insert_agent};

/// Inserts an active session of another agent in a conversation, with newer activity than any.
async fn plant(pool: &Pool, references: SessionReferences) -> (Uuid, Uuid) {
    let agent = insert_agent(pool).await;
    let session = sqlx::query_scalar(
        "INSERT INTO public.chat_sessions (conversation_id, iso_agent_id, status, session_started_at, last_activity_at, created_at,
            updated_at)
         VALUES ($1, $2, 'active', now(), now() + interval '10 years', '2001-01-01', now()) RETURNING id",
    )
    .bind(references.conversation)
    .bind(agent)
    .fetch_one(pool)
    .await
    .unwrap();
    (agent, session)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_session_blocks_neither_the_first_nor_the_next_session_of_the_conversations_agent() {
    for db in [Db::new().await, Db::attached().await] {
        for with_request in [true, false] {
            let references = SessionReferences::insert(&db.pool).await;
            if !with_request {
                let statement = format!(
                    "UPDATE public.conversations SET request_id = NULL WHERE id = '{}'",
                    references.conversation
                );
                db.run(&statement).await;
            }
            let (_, planted) = plant(&db.pool, references).await;
            let tracking = sessions(&db.pool, 0);
            let first = tracking.create_or_update(&references.input()).await.unwrap();
            assert!(first.created);
            assert_ne!(first.session.id, planted);
            let again = tracking.create_or_update(&references.input()).await.unwrap();
            assert_eq!((again.created, again.session.id), (false, first.session.id));
            let other = tracking.get(planted).await.unwrap();
            assert_eq!(other.status, "active", "the other agent's session stays as it is");
            assert_ne!(other.iso_agent_id, references.agent);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_session_does_not_keep_the_conversations_agent_from_resuming() {
    for db in [Db::new().await, Db::attached().await] {
        let references = SessionReferences::insert(&db.pool).await;
        let tracking = sessions(&db.pool, 0);
        let own = tracking.create_or_update(&references.input()).await.unwrap().session.id;
        tracking.pause(own).await.unwrap();
        let (agent, planted) = plant(&db.pool, references).await;
        assert_eq!(tracking.resume(own).await.unwrap().status, "active");

        // The agent of the planted session gets no further: the conversation is not this agent's.
        tracking.pause(planted).await.unwrap();
        let refused = tracking.resume(planted).await;
        assert!(
            matches!(&refused, Err(SessionError::ActiveSessionExists { session }) if *session == own),
            "{refused:?}"
        );
        let new = NewChatSession {
            iso_agent_id: agent,
            ..references.input()
        };
        assert!(tracking.create_or_update(&new).await.is_err());
    }
}
