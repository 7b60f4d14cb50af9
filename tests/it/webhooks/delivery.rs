//! The webhooks that a receiver gets: each change once.

use std::collections::BTreeSet;

use avinode_ingest::service::ServiceSettings;
use serde_json::json;

use super::{accepted, post_quote, received, settings, until_idle, until_received};
use crate::support::actions::replay;
use crate::support::bodies::message;
use crate::support::cluster::Db;
use crate::support::recorder::Recorder;
use crate::support::service::RunningService;
use crate::support::sessions::SessionBuilder;
use crate::support::sql::count;

#[tokio::test(flavor = "multi_thread")]
async fn each_change_is_sent_once_with_a_higher_version_and_a_repetition_is_not() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("HOOK01").insert(&db.pool).await;
    let receiver = Recorder::answering(accepted()).await;
    let service = RunningService::start(&db.pool, settings(&receiver)).await;
    post_quote(&service, "HOOK01", "aquote-1", 1).await;
    let first = until_received(&receiver, 1).await.remove(0);
    assert_eq!(first.data["session_id"], json!(session));
    assert_eq!(first.data["version"], 1);
    assert_eq!(first.data["quotes_received_count"], 1);
    assert_eq!(first.data["current_step"], "requesting_quotes");
    assert_eq!(first.data["primary_quote"]["total_price"], "10000.00");
    assert_eq!(first.data["changes"][0]["kind"], "quote_received");
    assert_eq!(first.data["changes_truncated"], false);

    post_quote(&service, "HOOK01", "aquote-2", 2).await;
    let second = until_received(&receiver, 2).await.remove(1);
    assert_eq!(
        (&second.data["version"], &second.data["quotes_received_count"]),
        (&json!(2), &json!(2))
    );
    let seqs: Vec<_> = second.data["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["seq"])
        .collect();
    assert_eq!(seqs, [2], "only what is new");
    until_idle(&db.pool).await;

    // The same deliveries again, and all of them replayed: nothing changes, and nothing is sent.
    post_quote(&service, "HOOK01", "aquote-1", 1).await;
    post_quote(&service, "HOOK01", "aquote-2", 2).await;
    until_idle(&db.pool).await;
    let deliveries: Vec<uuid::Uuid> = sqlx::query_scalar("SELECT id FROM avinode_ingest.deliveries")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    replay(&db.pool, &deliveries).await;
    until_idle(&db.pool).await;
    assert_eq!(received(&receiver).len(), 2);

    // A message is a change, and its text is not in the webhook.
    let body = serde_json::to_vec(&message("evt-m", "HOOK01", "amsg-1", 3)).unwrap();
    assert_eq!(service.post(&body).await.0, 200);
    let third = until_received(&receiver, 3).await.remove(2);
    assert_eq!(third.data["changes"][0]["kind"], "message_received");
    assert!(!third.body.contains("Catering"), "{}", third.body);
    until_idle(&db.pool).await;
    let ids: BTreeSet<String> = received(&receiver).into_iter().map(|it| it.id).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    let sent = "SELECT count(*) FROM avinode_ingest.outcomes WHERE kind = 'notify_session' AND outcome = 'sent'";
    assert_eq!(count(&db.pool, sent).await, 3);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_receiver_no_job_is_queued() {
    let db = Db::new().await;
    SessionBuilder::of_trip("HOOK02").insert(&db.pool).await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    post_quote(&service, "HOOK02", "aquote-1", 1).await;
    until_idle(&db.pool).await;
    let outcomes = "SELECT count(*) FROM avinode_ingest.outcomes";
    assert!(count(&db.pool, outcomes).await > 0);
    let notified = "SELECT count(*) FROM avinode_ingest.outcomes WHERE kind = 'notify_session'";
    assert_eq!(count(&db.pool, notified).await, 0);
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_the_api_is_sent_and_one_of_a_deleted_session_is_not() {
    let db = Db::new().await;
    let receiver = Recorder::answering(accepted()).await;
    let session = SessionBuilder::of_trip("HOOK03").insert(&db.pool).await;
    let settings = settings(&receiver);
    let changes = avinode_ingest::store::session_changes::SessionChanges {
        sends_webhooks: true,
        ..Default::default()
    };
    let sessions = avinode_ingest::sessions::service::SessionService::new(db.pool.service(), settings.clock);
    let sessions = sessions.with_changes(changes);
    let deleted = SessionBuilder::of_trip("HOOK04").insert(&db.pool).await;
    sessions.pause(session).await.unwrap();
    sessions.pause(deleted).await.unwrap();
    sqlx::query("DELETE FROM public.chat_sessions WHERE id = $1")
        .bind(deleted)
        .execute(&db.pool)
        .await
        .unwrap();
    let service = RunningService::start(&db.pool, settings).await;
    let webhook = until_received(&receiver, 1).await.remove(0);
    assert_eq!(
        (&webhook.data["session_id"], &webhook.data["status"]),
        (&json!(session), &json!("paused"))
    );
    until_idle(&db.pool).await;
    assert_eq!(received(&receiver).len(), 1);
    let gone = "SELECT count(*) FROM avinode_ingest.outcomes WHERE kind = 'notify_session' AND outcome = 'gone'";
    assert_eq!(count(&db.pool, gone).await, 1);
    service.stop().await;
}
