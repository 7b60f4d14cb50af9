//! Activity, pausing, resuming, proposals, completion and the archive; and conflicts with the application.

use avinode_ingest::domain::chat_session::input::{ActivityUpdate, ProposalUpdate};
use avinode_ingest::domain::chat_session::page::PageRequest;
use avinode_ingest::domain::chat_session::view::ArchiveResult;
use avinode_ingest::sessions::error::SessionError;
use tokio::time::timeout;
use uuid::Uuid;

use super::{create, field, moment, sessions};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::sessions::{SessionReferences, update_session};
use crate::support::sql::waiting_backends;

#[tokio::test(flavor = "multi_thread")]
async fn activity_moves_forward_and_messages_add_up() {
    let db = Db::attached().await;
    let references = SessionReferences::insert(&db.pool).await;
    let session = create(&db.pool, references).await.id;
    let some = |messages| ActivityUpdate {
        messages: Some(messages),
    };
    sessions(&db.pool, 7).update_activity(session, some(2)).await.unwrap();
    let after = sessions(&db.pool, 4).update_activity(session, some(3)).await.unwrap();
    assert_eq!((after.last_activity_at, after.message_count), (Some(moment(7)), 5));
    let after = sessions(&db.pool, 8)
        .update_activity(session, ActivityUpdate::default())
        .await
        .unwrap();
    assert_eq!((after.last_activity_at, after.message_count), (Some(moment(8)), 5));
    for wrong in [-1, 1_000_001] {
        assert_eq!(
            field(sessions(&db.pool, 9).update_activity(session, some(wrong)).await),
            "messages"
        );
    }
    let missing_session = sessions(&db.pool, 9).update_activity(Uuid::from_u128(7), some(1)).await;
    assert!(matches!(missing_session, Err(SessionError::SessionNotFound)));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_active_session_can_be_paused_and_only_a_paused_one_resumed() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let session = create(&db.pool, references).await.id;
    let tracking = sessions(&db.pool, 1);
    for _ in 0..2 {
        assert_eq!(tracking.pause(session).await.unwrap().status, "paused");
    }
    for _ in 0..2 {
        assert_eq!(tracking.resume(session).await.unwrap().status, "active");
    }
    tracking.complete(session).await.unwrap();
    for rejected in [tracking.pause(session).await, tracking.resume(session).await] {
        assert!(matches!(rejected, Err(SessionError::InvalidStatus { ref status, .. }) if status == "completed"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_session_is_not_resumed_if_another_is_active() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let first = create(&db.pool, references).await.id;
    let tracking = sessions(&db.pool, 1);
    tracking.complete(first).await.unwrap();
    let second = create(&db.pool, references).await.id;
    update_session(&db.pool, first, "status = 'paused'").await;
    let rejected = tracking.resume(first).await;
    assert!(matches!(rejected, Err(SessionError::ActiveSessionExists { session }) if session == second));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_gets_a_proposal_is_completed_and_archived() {
    for db in [Db::new().await, Db::attached().await] {
        let references = SessionReferences::insert(&db.pool).await;
        let session = create(&db.pool, references).await.id;
        sessions(&db.pool, 6).archive().await.unwrap(); // sessions of the application that are due
        let proposal_id = references.insert_proposal(&db.pool).await;
        let tracking = sessions(&db.pool, 6);
        let missing = ProposalUpdate {
            proposal_id: Uuid::from_u128(7),
        };
        assert_eq!(field(tracking.update_proposal(session, missing).await), "proposal_id");
        let ready = tracking
            .update_proposal(session, ProposalUpdate { proposal_id })
            .await
            .unwrap();
        assert_eq!(ready.proposal_id, Some(proposal_id));
        assert_eq!(ready.current_step.as_deref(), Some("proposal_ready"));
        for seconds in [7, 8] {
            let completed = sessions(&db.pool, seconds).complete(session).await.unwrap();
            assert_eq!(
                (completed.status.as_str(), completed.session_ended_at),
                ("completed", Some(moment(7)))
            );
        }
        update_session(&db.pool, session, "session_ended_at = now() - interval '91 days'").await;
        assert_eq!(tracking.archive().await.unwrap(), ArchiveResult { archived: Some(1) });
        assert_eq!(tracking.archive().await.unwrap(), ArchiveResult { archived: Some(0) });
        assert_eq!(tracking.get(session).await.unwrap().status, "archived");
        let again = tracking.complete(session).await;
        assert!(matches!(again, Err(SessionError::InvalidStatus { ref status, .. }) if status == "archived"));
        let lines = tracking.timeline(session, &PageRequest::default()).await.unwrap().data;
        let kinds: Vec<&str> = lines.iter().map(|line| line.kind.as_str()).collect();
        assert_eq!(kinds, ["proposal_attached", "session_completed"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_locked_by_the_application_is_busy_after_a_short_wait() {
    let db = Db::new().await;
    let references = SessionReferences::insert(&db.pool).await;
    let session = create(&db.pool, references).await.id;
    let tracking = sessions(&db.pool, 1);
    let mut application = db.pool.application().await;
    sqlx::query("UPDATE public.chat_sessions SET message_count = 5 WHERE id = $1")
        .bind(session)
        .execute(&mut *application)
        .await
        .unwrap();
    let busy = tracking.pause(session).await;
    assert!(matches!(busy, Err(SessionError::Busy)), "{busy:?}");
    let waiting = tokio::spawn({
        let tracking = tracking.clone();
        async move { tracking.pause(session).await }
    });
    // The application commits after the first attempt of the call has timed out.
    let timed_out = async {
        for waiting in [true, false] {
            // Without a pause, because the call tries again soon.
            while (waiting_backends(&db.pool).await > 0) != waiting {
                tokio::task::yield_now().await;
            }
        }
    };
    timeout(PATIENCE, timed_out).await.expect("the first attempt times out");
    application.commit().await.unwrap();
    let paused = waiting.await.unwrap().unwrap();
    assert_eq!((paused.status.as_str(), paused.message_count), ("paused", 5));
}
