//! Without credentials notifications wait, every status says so, and they are fetched when credentials come.

use avinode_ingest::jobs::fetch::status;
use avinode_ingest::queue::admin::{self, JobFilter};
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::job_state::JobState;
use avinode_ingest::queue::rate_limit::status::LimiterStatus;
use avinode_ingest::service::ServiceSettings;
use serde_json::Value;

use super::setup::{MESSAGE, make_due, now, quoted};
use crate::support::PATIENCE;
use crate::support::check_command::check;
use crate::support::cluster::Db;
use crate::support::eventually::{at_least, eventually};
use crate::support::fake_avinode::{FakeAvinode, Fault};
use crate::support::service::RunningService;
use crate::support::sessions::{SessionBuilder, quote_count};

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
async fn without_credentials_notifications_wait_and_are_fetched_when_credentials_come() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    stub.show(MESSAGE, quoted("asellermsg-1", "aquote-1", None, 10_000));
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let body = serde_json::to_vec(&stub.thin(MESSAGE, Some("A1B2C3"))).unwrap();
    assert_eq!(service.post(&body).await.0, 200);
    let (status, said) = ready(&service.base).await;
    assert_eq!(status, 200, "{said}");
    assert!(
        said["details"]["fetching"]
            .as_str()
            .unwrap()
            .starts_with("not running: no process has credentials"),
        "{said}"
    );
    let output = check(&[("DATABASE_URL", &db.url())]).await;
    assert!(
        output.text.contains("1 wait to be fetched: no process has credentials"),
        "{}",
        output.text
    );
    assert_eq!(stub.calls().len(), 0);
    service.stop().await;

    let settings = ServiceSettings {
        avinode: Some(stub.settings(100.0, 100)),
        ..ServiceSettings::default()
    };
    let service = RunningService::start(&db.pool, settings).await;
    eventually(PATIENCE, "the quote is counted", async || {
        at_least(quote_count(&db.pool, session).await, 1)
    })
    .await;
    let (status, said) = ready(&service.base).await;
    assert_eq!((status, said["details"]["fetching"].as_str()), (200, Some("ok")));
    // And a new one immediately, without a poll in between.
    stub.show(
        "tripmsgs/asellermsg-2",
        quoted("asellermsg-2", "aquote-2", None, 20_000),
    );
    let body = serde_json::to_vec(&stub.thin("tripmsgs/asellermsg-2", Some("A1B2C3"))).unwrap();
    assert_eq!(service.post(&body).await.0, 200);
    eventually(PATIENCE, "the quote is counted", async || {
        at_least(quote_count(&db.pool, session).await, 2)
    })
    .await;
    service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspension_shows_in_the_details_and_in_the_list_of_jobs_and_holds_up_no_receiving() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    stub.fail_always(Some(Fault::of(401)));
    let settings = ServiceSettings {
        avinode: Some(stub.settings(100.0, 100)),
        ..ServiceSettings::default()
    };
    let service = RunningService::start(&db.pool, settings).await;
    let body = serde_json::to_vec(&stub.thin(MESSAGE, None)).unwrap();
    assert_eq!(service.post(&body).await.0, 200);
    let (reason, until) = eventually(PATIENCE, "fetching is suspended", async || {
        match status::read(&db.pool).await {
            Ok(LimiterStatus::Suspended { reason, until }) => Some((reason, until)),
            _ => None,
        }
    })
    .await;
    assert!(reason.contains("401") && until > now(), "{reason}");
    let blocked = status::blocked_kinds(&db.pool).await.unwrap();
    assert_eq!(blocked.kinds, JobKind::FETCHING);
    assert!(
        blocked.reason.starts_with("fetching is suspended: "),
        "{}",
        blocked.reason
    );
    let filter = JobFilter {
        limit: 10,
        blocked,
        ..JobFilter::default()
    };
    // The suspension is published before the job is rescheduled.
    eventually(PATIENCE, "its job is rescheduled", async || {
        let jobs = admin::list(&db.pool, &filter).await.unwrap();
        (jobs[0].state == JobState::Retryable).then_some(())
    })
    .await;
    make_due(&db.pool).await;
    let jobs = admin::list(&db.pool, &filter).await.unwrap();
    assert_eq!((jobs.len(), jobs[0].state), (1, JobState::Available));
    assert!(
        jobs[0].reason.as_ref().unwrap().starts_with("fetching is suspended: "),
        "{jobs:?}"
    );

    assert_eq!(service.post(&body).await.0, 200);
    assert_eq!(stub.calls().len(), 1, "nothing is called meanwhile");
    let (status, said) = ready(&service.base).await;
    assert_eq!(status, 200);
    assert!(
        said["details"]["fetching"].as_str().unwrap().starts_with("suspended: "),
        "{said}"
    );
    service.stop().await;
}
