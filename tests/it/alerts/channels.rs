//! The webhook and e-mail: signed, repeated where they fail, and never twice.

use std::time::{Duration, Instant};

use avinode_ingest::alerts::settings::{AlertEmail, AlertSettings};

use super::{service, settings, unknown_event};
use crate::support::PATIENCE;
use crate::support::alert_receiver::AlertReceiver;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::mail_server::MailServer;
use crate::support::service::RunningService;
use crate::support::throughout::throughout;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_reason_is_sent_signed_and_once_also_after_a_restart() {
    let (db, receiver) = (Db::new().await, AlertReceiver::start().await);
    let running = RunningService::start(&db.pool, service(settings(&receiver))).await;
    assert_eq!(running.post(&unknown_event("evt-1")).await.0, 200);
    let words = "- full_event: unknown event kind";
    eventually(PATIENCE, "the alert comes", async || {
        equal(receiver.with(words).len(), 1)
    })
    .await;
    let text = &receiver.alerts()[0].text;
    assert!(!text.contains("Jane"), "{text}");
    assert!(text.ends_with("Runbook: docs/runbook.md, IngestDeadLetters"), "{text}");
    running.stop().await;

    let running = RunningService::start(&db.pool, service(settings(&receiver))).await;
    assert_eq!(running.post(&unknown_event("evt-2")).await.0, 200);
    let dead = "SELECT count(*) FROM avinode_ingest.dead_jobs";
    eventually(PATIENCE, "the second one is dead", async || {
        equal(crate::support::sql::count(&db.pool, dead).await, 2)
    })
    .await;
    throughout(Duration::from_secs(2), async || assert_eq!(receiver.alerts().len(), 1)).await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_webhook_is_tried_again_with_the_same_id_and_delays_no_delivery() {
    let (db, receiver) = (Db::new().await, AlertReceiver::start().await);
    receiver.answer(&[500, 429]);
    let running = RunningService::start(&db.pool, service(settings(&receiver))).await;
    assert_eq!(running.post(&unknown_event("evt-1")).await.0, 200);
    eventually(PATIENCE, "the first attempt fails", async || {
        equal(receiver.refused().is_empty(), false)
    })
    .await;
    let began = Instant::now();
    assert_eq!(running.post(&unknown_event("evt-2")).await.0, 200);
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    eventually(PATIENCE, "the third attempt succeeds", async || {
        equal(receiver.alerts().len(), 1)
    })
    .await;
    let refused = receiver.refused();
    assert_eq!(refused.len(), 2);
    assert!(
        refused.iter().all(|alert| *alert == receiver.alerts()[0]),
        "{refused:?}"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_sent_by_email_to_all_receivers() {
    let (db, receiver, mail) = (Db::new().await, AlertReceiver::start().await, MailServer::start().await);
    let alerts = AlertSettings {
        webhook: None,
        email: Some(AlertEmail {
            url: format!("smtp://{}", mail.address).into(),
            from: "Ingest <ingest@example.com>".parse().unwrap(),
            to: vec!["one@example.com".parse().unwrap(), "two@example.com".parse().unwrap()],
        }),
        ..settings(&receiver)
    };
    let running = RunningService::start(&db.pool, service(alerts)).await;
    assert_eq!(running.post(&unknown_event("evt-1")).await.0, 200);
    let mail = eventually(PATIENCE, "the mail comes", async || mail.mails().pop()).await;
    assert_eq!(mail.from, "ingest@example.com");
    assert_eq!(mail.to, ["one@example.com", "two@example.com"]);
    for part in [
        "Subject: avinode-ingest: jobs were dead-lettered for a new reason",
        "- full_event: unknown event kind (1)",
    ] {
        assert!(mail.content.contains(part), "{}", mail.content);
    }
    assert!(!mail.content.contains("Jane"), "{}", mail.content);
    running.stop().await;
}
