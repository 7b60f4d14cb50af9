//! Without credentials notifications wait, everybody says so, and they are worked off when credentials come.

use std::time::{Duration, Instant};

use avinode_ingest::domain::job_kind::JobKind;
use avinode_ingest::jobs::fetch::status;
use avinode_ingest::queue::standing::Standing;
use avinode_ingest::service::ServiceSettings;
use serde_json::Value;

use super::setup::{counted, make_due, notify, quoted, step_until_called, worker_with};
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::fake_avinode::{Fault, Stub};
use crate::support::service::{Running, session};

const MESSAGE: &str = "tripmsgs/asellermsg-1";

async fn ready(base: &str) -> (u16, Value) {
    let url = format!("{base}/readyz");
    let response = avinode_ingest::cli::replay::sender::client(&url)
        .unwrap()
        .get(&url)
        .send()
        .await
        .unwrap();
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_slice(&response.bytes().await.unwrap()).unwrap(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_notifications_wait_and_are_worked_off_when_credentials_come() {
    let (db, stub) = (Db::new().await, Stub::start().await);
    let session = session(&db.pool, Some("A1B2C3")).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    let service = Running::start(&db.pool, ServiceSettings::default()).await;
    let body = serde_json::to_vec(&stub.thin(MESSAGE, Some("A1B2C3"))).unwrap();
    assert_eq!(service.post(&body).await.0, 200);
    let (status, said) = ready(&service.base).await;
    assert_eq!(status, 200, "{said}");
    assert!(
        said["details"]["fetching"]
            .as_str()
            .unwrap()
            .starts_with("waiting: no process has credentials"),
        "{said}"
    );
    let told = check(&[("DATABASE_URL", &db.url())]).await;
    assert!(
        told.text.contains("1 wait to be fetched: no process has credentials"),
        "{}",
        told.text
    );
    assert_eq!(stub.calls().len(), 0);
    service.stop().await;

    let settings = ServiceSettings {
        avinode: Some(stub.settings(100.0, 100)),
        ..ServiceSettings::default()
    };
    let service = Running::start(&db.pool, settings).await;
    let began = Instant::now();
    while counted(&db.pool, session).await == 0 {
        assert!(began.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let (status, said) = ready(&service.base).await;
    assert_eq!((status, said["details"]["fetching"].as_str()), (200, Some("ok")));
    // And a new one at once, without a poll in between.
    stub.show(
        "tripmsgs/asellermsg-2",
        quoted("asellermsg-2", "aquote-2", None, 20_000),
    );
    let body = serde_json::to_vec(&stub.thin("tripmsgs/asellermsg-2", Some("A1B2C3"))).unwrap();
    assert_eq!(service.post(&body).await.0, 200);
    while counted(&db.pool, session).await < 2 {
        assert!(began.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_told_by_the_details_and_by_the_list_of_jobs_and_holds_up_no_receiving() {
    let (db, stub) = (Db::new().await, Stub::start().await);
    stub.fail_always(Some(Fault::of(401)));
    notify(&db.pool, &[stub.thin(MESSAGE, None)]).await;
    let worker = worker_with(&db.pool, &stub.settings(100.0, 100)).await;
    step_until_called(&worker, &stub, 1).await;
    make_due(&db.pool).await;
    let found = status::standing(&db.pool).await.unwrap();
    assert!(
        matches!(&found, Standing::Stopped { because, .. } if because.contains("401")),
        "{found:?}"
    );
    let (kinds, because) = status::unserved(&db.pool).await.unwrap();
    assert_eq!(kinds, JobKind::FETCHING);
    assert!(because.starts_with("fetching has stopped: "), "{because}");
    let service = Running::start(
        &db.pool,
        ServiceSettings {
            workers: 0,
            ..ServiceSettings::default()
        },
    )
    .await;
    let (status, said) = ready(&service.base).await;
    assert_eq!(status, 200);
    assert!(
        said["details"]["fetching"].as_str().unwrap().starts_with("stopped: "),
        "{said}"
    );
    service.stop().await;
}
