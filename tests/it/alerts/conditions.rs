//! The conditions, read from a real database.

use std::time::Duration;

use avinode_ingest::alerts::settings::{AlertConditions, AlertSettings};
use avinode_ingest::service::ServiceSettings;

use super::{service, settings};
use crate::support::PATIENCE;
use crate::support::alert_receiver::AlertReceiver;
use crate::support::bodies::quote_of;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::fake_avinode::{FakeAvinode, Fault};
use crate::support::service::RunningService;

async fn one_alert_with(receiver: &AlertReceiver, words: &str) {
    eventually(PATIENCE, words, async || {
        equal(receiver.with(words).len(), 1).map_err(|_| receiver.alerts())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_credentials_and_their_acceptance_are_sent() {
    let (db, receiver, avinode) = (
        Db::new().await,
        AlertReceiver::start().await,
        FakeAvinode::start().await,
    );
    avinode.fail_always(Some(Fault::of(401)));
    let running = RunningService::start(
        &db.pool,
        ServiceSettings {
            avinode: Some(avinode.settings(100.0, 10)),
            ..service(settings(&receiver))
        },
    )
    .await;
    let thin = |id: &str| avinode.thin(&format!("rfqs/{id}"), Some("A1B2C3")).to_string();
    assert_eq!(running.post(thin("arfq-1").as_bytes()).await.0, 200);
    one_alert_with(&receiver, "Avinode rejects the credentials").await;

    avinode.fail("rfqs/arfq-2", Fault::of(410));
    avinode.fail_always(None);
    // A resource that was not tried before is tried during a suspension as well.
    assert_eq!(running.post(thin("arfq-2").as_bytes()).await.0, 200);
    one_alert_with(&receiver, "fetching from Avinode goes on").await;
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silence_and_a_job_without_a_worker_are_sent() {
    let (db, receiver) = (Db::new().await, AlertReceiver::start().await);
    let alerts = settings(&receiver);
    let alerts = AlertSettings {
        conditions: AlertConditions {
            oldest_job: Some(Duration::from_secs(1)),
            no_delivery: Some(Duration::from_secs(1)),
            ..alerts.conditions
        },
        ..alerts
    };
    let without_workers = ServiceSettings {
        workers: 0,
        ..service(alerts)
    };
    let running = RunningService::start(&db.pool, without_workers).await;
    one_alert_with(
        &receiver,
        "no delivery was received for 0s of working time. None is stored.",
    )
    .await;
    let body = serde_json::to_vec(&quote_of("atrip-1", "aquote-1", 0)).unwrap();
    assert_eq!(running.post(&body).await.0, 200);
    one_alert_with(&receiver, "a job of the kind full_event has been due for 0s").await;
    assert_eq!(receiver.alerts().len(), 2);
    running.stop().await;
}
