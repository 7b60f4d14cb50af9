//! The metrics of the program, scraped from its admin listener.

use std::collections::{BTreeMap, BTreeSet};

use avinode_ingest::telemetry::metric_catalogue::{METRICS, Metric};

use super::load::{self, body, client, post};
use super::program::Serve;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::fake_avinode::FakeAvinode;

/// A process with an admin listener, and the address of that.
async fn serve(db: &Db, stub: &FakeAvinode) -> (Serve, String) {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let admin = free.local_addr().unwrap().to_string();
    drop(free);
    let (url, base) = (db.url(), stub.base());
    let service = Serve::start(&[
        ("DATABASE_URL", &url),
        ("INGEST_ADMIN_LISTEN", &admin),
        ("AVINODE_BASE_URL", &base),
        ("AVINODE_API_TOKEN", "an-api-token-of-the-tests"),
        ("AVINODE_BEARER", "a-bearer-of-the-tests"),
        ("AVINODE_INSECURE_LOOPBACK", "true"),
    ])
    .await;
    (service, admin)
}

/// The samples of a scrape: name with labels, and value.
async fn scrape(admin: &str) -> BTreeMap<String, f64> {
    let response = reqwest::get(format!("http://{admin}/metrics")).await.unwrap();
    assert_eq!(response.status().as_u16(), 200);
    assert_eq!(
        response.headers()["content-type"],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    let text = String::from_utf8(response.bytes().await.unwrap().to_vec()).unwrap();
    let samples = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let samples = samples.map(|line| line.rsplit_once(' ').unwrap());
    samples
        .map(|(series, value)| (series.to_owned(), value.parse().unwrap()))
        .collect()
}

/// The metric of a sample: of a histogram without the endings of its parts.
fn metric(series: &str) -> &'static str {
    let name = series.split('{').next().unwrap();
    let is_part = |metric: &&Metric| {
        let rest = name.strip_prefix(metric.name);
        rest.is_some_and(|rest| ["", "_bucket", "_sum", "_count"].contains(&rest))
    };
    METRICS
        .iter()
        .find(is_part)
        .unwrap_or_else(|| panic!("{series} is not in the catalogue"))
        .name
}

fn value(samples: &BTreeMap<String, f64>, series: &str) -> f64 {
    *samples
        .get(series)
        .unwrap_or_else(|| panic!("no {series} in {samples:#?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_listener_shows_every_metric_and_counts_what_was_received_applied_and_fetched() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    load::sessions(&db.pool).await;
    let (service, admin) = serve(&db, &stub).await;
    let client = client(&service.address);
    for number in 0..3 {
        assert_eq!(post(&client, &service.address, body(number)).await.unwrap().0, 200);
    }
    assert_eq!(post(&client, &service.address, b"{}".to_vec()).await.unwrap().0, 200);
    let unsigned = client
        .post(format!("http://{}/webhooks/avinode", service.address))
        .body("{}")
        .send()
        .await;
    assert_eq!(unsigned.unwrap().status().as_u16(), 401);
    let thin = stub.thin("tripmsgs/asellermsg-404", Some("A1B2C3")).to_string();
    assert_eq!(post(&client, &service.address, thin.into_bytes()).await.unwrap().0, 200);

    let applied = "avinode_ingest_jobs_finished_total{kind=\"full_event\",outcome=\"applied\"}";
    let called = "avinode_ingest_fetch_calls_total{resource=\"tripmsgs\",outcome=\"not_found\"}";
    eventually(PATIENCE, "all is applied and fetched", async || {
        let samples = scrape(&admin).await;
        let seen = |series| samples.get(series).copied().unwrap_or_default();
        equal((seen(applied), seen(called) >= 1.0), (3.0, true))
    })
    .await;
    let samples = scrape(&admin).await;
    let accepted = "avinode_ingest_deliveries_total{status=\"200\",scheme=\"hmac-timestamped\",reason=\"\"}";
    let accepted = samples
        .get(accepted)
        .or_else(|| samples.get("avinode_ingest_deliveries_total{status=\"200\",scheme=\"hmac\",reason=\"\"}"));
    assert_eq!(accepted, Some(&5.0), "{samples:#?}");
    assert_eq!(
        value(
            &samples,
            "avinode_ingest_deliveries_total{status=\"401\",scheme=\"\",reason=\"no-credentials\"}"
        ),
        1.0
    );
    assert_eq!(
        value(&samples, "avinode_ingest_jobs_died_total{kind=\"unknown_format\"}"),
        1.0
    );
    assert_eq!(value(&samples, "avinode_ingest_delivery_to_session_seconds_count"), 3.0);
    assert_eq!(value(&samples, "avinode_ingest_fetching{state=\"running\"}"), 1.0);
    assert!(value(&samples, "avinode_ingest_receive_memory_limit_bytes") > 0.0);

    // Those that no fault caused have no series yet.
    let rare = [
        "avinode_ingest_commit_failures_total",
        "avinode_ingest_job_failures_total",
    ];
    eventually(PATIENCE, "every metric is there", async || {
        let samples = scrape(&admin).await;
        let shown: BTreeSet<&str> = samples.keys().map(|series| metric(series)).collect();
        let missing = METRICS.iter().map(|metric| metric.name);
        let missing: Vec<&str> = missing
            .filter(|name| !shown.contains(name) && !rare.contains(name))
            .collect();
        equal(missing, Vec::new())
    })
    .await;
    let dead = "avinode_ingest_dead_jobs{kind=\"unknown_format\"}";
    eventually(PATIENCE, "the dead job is counted", async || {
        equal(scrape(&admin).await.get(dead).copied(), Some(1.0))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_listener_shows_no_metrics() {
    let db = Db::new().await;
    let service = Serve::start(&[("DATABASE_URL", &db.url())]).await;
    assert_eq!(service.get("/metrics").await, Some(404));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_cannot_be_read_leaves_the_gauges_of_the_others_current() {
    let (db, stub) = (Db::new().await, FakeAvinode::start().await);
    load::sessions(&db.pool).await;
    let mut application = db.pool.application().await;
    sqlx::query("LOCK TABLE avinode_ingest.dead_jobs IN ACCESS EXCLUSIVE MODE")
        .execute(&mut *application)
        .await
        .unwrap();
    let (_service, admin) = serve(&db, &stub).await;
    let sessions = "avinode_ingest_active_sessions";
    // Read after the dead jobs, whose reading is given up after five seconds.
    eventually(PATIENCE, "the sessions are counted", async || {
        let samples = scrape(&admin).await;
        let is_there = |name: &str| samples.keys().any(|series| metric(series) == name);
        equal(
            (is_there(sessions), is_there("avinode_ingest_dead_jobs")),
            (true, false),
        )
    })
    .await;
    application.rollback().await.unwrap();
}
