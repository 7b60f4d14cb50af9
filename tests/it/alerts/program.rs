//! The real program: settings from files, and a log without secrets.

use super::unknown_event;
use crate::crash::load::{client, post};
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::alert_receiver::{AlertReceiver, secret};
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn the_program_sends_alerts_with_secrets_from_files_and_logs_none_of_them() {
    let (db, receiver) = (Db::new().await, AlertReceiver::start().await);
    receiver.answer(&[500]);
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (url, key) = (file("url", &receiver.url), file("key", &secret()));
    let mut service = Serve::start(&[
        ("DATABASE_URL", &db.url()),
        ("INGEST_ALERT_WEBHOOK_FILE", &url),
        ("INGEST_ALERT_WEBHOOK_SECRET_FILE", &key),
    ])
    .await;
    let sender = client(&service.address);
    let sent = post(&sender, &service.address, unknown_event("evt-1")).await;
    assert_eq!(sent.unwrap().0, 200);
    eventually(PATIENCE * 2, "the alert comes", async || {
        equal(receiver.alerts().len(), 1)
    })
    .await;
    service.program.line("sent alert new_dead_letters by webhook").await;
    let said = service.program.said();
    assert!(
        said.contains("failed to send alert new_dead_letters by webhook"),
        "{said}"
    );
    let key = secret();
    for hidden in ["hush", &receiver.url, key.trim_start_matches("whsec_")] {
        assert!(!said.contains(hidden), "{hidden} in {said}");
    }
}
