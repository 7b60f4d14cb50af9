//! A real Prometheus scrapes the real program under load, and the rules fire on faults that the test causes.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use avinode_ingest::telemetry::metric_catalogue::METRICS;
use reqwest::{Client, Url};
use serde_json::Value;
use sqlx::Connection as _;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::{PROMETHEUS_BOARD, RULES, file, queries};
use crate::crash::load::{body, client, post, sessions};
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::bodies::event;
use crate::support::cluster::Db;
use crate::support::eventually::{at_least, equal, eventually};
use crate::support::fake_avinode::{FakeAvinode, Fault};

/// Events per second.
const RATE: u32 = 20;
/// Metrics that only faults make.
const OF_FAULTS: [&str; 2] = [
    "avinode_ingest_commit_failures_total",
    "avinode_ingest_job_failures_total",
];

/// The time of scraping without a fault.
#[expect(clippy::disallowed_methods, reason = "the test's own setting, not the program's")]
fn seconds() -> u64 {
    std::env::var("TEST_SCRAPE_SECONDS").map_or(20, |text| text.parse().unwrap())
}

fn free_address() -> String {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    free.local_addr().unwrap().to_string()
}

/// The rules and the configuration of deploy/monitoring, with two changes: every `for` is 2 s, and every interval 1 s.
fn configure(folder: &Path, admin: &str) {
    let rules: Vec<String> = file(RULES)
        .lines()
        .map(|line| match line.split_once("for: ") {
            Some((indent, _)) if indent.trim().is_empty() => format!("{indent}for: 2s"),
            _ => line.to_owned(),
        })
        .collect();
    std::fs::write(folder.join("avinode-ingest.rules.yml"), rules.join("\n")).unwrap();
    let configuration = file("deploy/monitoring/prometheus.yml");
    let changed = configuration.replace(": 15s", ": 1s").replace("127.0.0.1:9464", admin);
    assert!(
        changed.contains(admin) && changed.matches(": 1s").count() == 2,
        "{changed}"
    );
    std::fs::write(folder.join("prometheus.yml"), changed).unwrap();
}

/// A running Prometheus; it ends with the test.
struct Prometheus {
    address: String,
    _folder: TempDir,
    _process: Child,
}

impl Prometheus {
    async fn start(admin: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        configure(folder.path(), admin);
        let address = free_address();
        let process = Command::new("prometheus")
            .arg("--config.file=prometheus.yml")
            .arg("--storage.tsdb.path=data")
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=warn")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("prometheus is installed (scripts/need-program prometheus)");
        let prometheus = Self {
            address,
            _folder: folder,
            _process: process,
        };
        eventually(PATIENCE, "it scrapes", async || {
            equal(prometheus.value("up{job=\"avinode-ingest\"}").await, Some(1.0))
        })
        .await;
        prometheus
    }

    /// Calls its HTTP API; `None` while it starts.
    async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Option<Value> {
        let url = format!("http://{}/api/v1/{path}", self.address);
        let url = Url::parse_with_params(&url, parameters).unwrap();
        let response = Client::new().get(url).send().await.ok()?;
        let answer: Value = serde_json::from_slice(&response.bytes().await.ok()?).ok()?;
        assert_eq!(answer["status"], "success", "{answer}");
        Some(answer["data"].clone())
    }

    /// The value of an expression with one series.
    async fn value(&self, expression: &str) -> Option<f64> {
        let data = self.get("query", &[("query", expression)]).await?;
        data["result"][0]["value"][1].as_str()?.parse().ok()
    }

    /// The metrics without a series, of those that need no fault.
    async fn absent_metrics(&self) -> Vec<&'static str> {
        let mut absent = Vec::new();
        for metric in METRICS.iter().filter(|metric| !OF_FAULTS.contains(&metric.name)) {
            let series = format!("count({{__name__=~\"{}(_count)?\"}})", metric.name);
            if self.value(&series).await.is_none() {
                absent.push(metric.name);
            }
        }
        absent
    }

    /// The panels of the board of which Prometheus cannot evaluate the expression: the others give a result, empty without a fault.
    async fn unreadable_panels(&self) -> Vec<String> {
        let board = serde_json::from_str(&file(PROMETHEUS_BOARD)).unwrap();
        let expressions = queries(&board, "expr");
        assert!(expressions.len() > 15);
        let mut unreadable = Vec::new();
        for expression in expressions {
            let chosen = expression.replace("$__rate_interval", "1m");
            let url = format!("http://{}/api/v1/query", self.address);
            let url = Url::parse_with_params(&url, [("query", &chosen)]).unwrap();
            if Client::new().get(url).send().await.unwrap().status() != 200 {
                unreadable.push(expression);
            }
        }
        unreadable
    }

    /// The alerts that are pending or firing, with their states.
    async fn active(&self) -> BTreeSet<(String, String)> {
        let data = self.get("alerts", &[]).await.unwrap();
        let alerts = data["alerts"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let of = |alert: &Value| (text(&alert["labels"]["alertname"]), text(&alert["state"]));
        alerts.iter().map(of).collect()
    }

    /// Waits until an alert fires, and returns the time that it took.
    async fn fires(&self, alert: &str, since: Instant) -> Duration {
        eventually(PATIENCE, alert, async || {
            let active = self.active().await;
            let fires = active.contains(&(alert.to_owned(), "firing".to_owned()));
            if fires { Ok(()) } else { Err(active) }
        })
        .await;
        since.elapsed()
    }

    /// Returns true if an alert was pending before it fired.
    async fn was_pending(&self, alert: &str) -> bool {
        let pending = format!("count_over_time(ALERTS{{alertname=\"{alert}\",alertstate=\"pending\"}}[5m])");
        self.value(&pending).await.is_some_and(|samples| samples > 0.0)
    }
}

/// Sends events at a fixed rate until it is aborted, each second a thin notification among them.
fn load(address: &str, avinode: &FakeAvinode, kept: &Arc<AtomicUsize>) -> JoinHandle<()> {
    let (address, avinode, kept) = (address.to_owned(), avinode.clone(), kept.clone());
    tokio::spawn(async move {
        let client = client(&address);
        let mut ticks = interval(Duration::from_secs(1) / RATE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for number in 0.. {
            ticks.tick().await;
            let body = match number % RATE as usize {
                0 => {
                    let resource = format!("rfqs/arfq-{number}");
                    // The first one is not there yet, and its job waits for the next attempt.
                    if number > 0 {
                        avinode.fail(&resource, Fault::of(410));
                    }
                    avinode.thin(&resource, Some("A1B2C3")).to_string().into_bytes()
                }
                _ => body(number),
            };
            let answer = post(&client, &address, body).await;
            kept.fetch_add(usize::from(matches!(answer, Some((200, ..)))), Ordering::Relaxed);
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by make check-monitoring, which installs Prometheus"]
async fn prometheus_scrapes_every_metric_under_load_and_rules_fire_on_faults() {
    let (db, avinode, admin) = (Db::new().await, FakeAvinode::start().await, free_address());
    sessions(&db.pool).await;
    let service = Serve::start(&[
        ("DATABASE_URL", &db.url()),
        ("INGEST_ADMIN_LISTEN", &admin),
        ("AVINODE_BASE_URL", &avinode.base()),
        ("AVINODE_API_TOKEN", "an-api-token-of-the-tests"),
        ("AVINODE_BEARER", "a-bearer-of-the-tests"),
        ("AVINODE_CALLS_PER_SECOND", "20"),
        ("AVINODE_INSECURE_LOOPBACK", "true"),
    ])
    .await;
    let prometheus = Prometheus::start(&admin).await;
    let kept = Arc::new(AtomicUsize::new(0));
    let sending = load(&service.address, &avinode, &kept);

    // Without a fault.
    let scrapes = format!("count_over_time(up{{job=\"avinode-ingest\"}}[{}s])", seconds() + 60);
    let wanted = u32::try_from(seconds()).unwrap();
    eventually(
        Duration::from_secs(seconds() * 2) + PATIENCE,
        "so many scrapes",
        async || at_least(prometheus.value(&scrapes).await.unwrap_or_default(), f64::from(wanted)),
    )
    .await;
    eventually(PATIENCE, "every metric is scraped", async || {
        equal(prometheus.absent_metrics().await, Vec::new())
    })
    .await;
    assert_eq!(prometheus.unreadable_panels().await, Vec::<String>::new());
    assert_eq!(prometheus.active().await, BTreeSet::new(), "alerts without a fault");
    let rules = prometheus.get("rules", &[]).await.unwrap();
    let groups = rules["groups"].as_array().unwrap();
    let rules: Vec<&Value> = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap())
        .collect();
    assert!(
        rules.len() > 25 && rules.iter().all(|rule| rule["health"] == "ok"),
        "{rules:#?}"
    );
    let answered = "sum(avinode_ingest_deliveries_total{status=\"200\"})";
    eventually(PATIENCE, "what was kept is counted", async || {
        at_least(prometheus.value(answered).await.unwrap_or_default(), 1.0)
    })
    .await;
    let kept = kept.load(Ordering::Relaxed);
    let slowest = "max_over_time(scrape_duration_seconds{job=\"avinode-ingest\"}[5m])";
    let samples = "max_over_time(scrape_samples_scraped{job=\"avinode-ingest\"}[5m])";
    let (slowest, samples) = (
        prometheus.value(slowest).await.unwrap(),
        prometheus.value(samples).await.unwrap(),
    );
    println!(
        "{kept} deliveries kept, {samples} samples per scrape, the slowest scrape took {:.1} ms",
        slowest * 1e3
    );
    assert!(slowest < 1.0, "{slowest} s");

    // Avinode rejects the credentials.
    let began = Instant::now();
    avinode.fail_always(Some(Fault::of(401)));
    let suspended = prometheus.fires("IngestFetchingSuspended", began).await;
    // An event of an unknown kind.
    let began = Instant::now();
    let unknown = event("TripSomethingNew", "evt-new", 0, serde_json::json!({}));
    let sender = client(&service.address);
    post(&sender, &service.address, serde_json::to_vec(&unknown).unwrap())
        .await
        .unwrap();
    let dead = prometheus.fires("IngestDeadLetters", began).await;
    // Nothing can be stored.
    let began = Instant::now();
    let mut lock = db.pool.connection().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE avinode_ingest.jobs IN EXCLUSIVE MODE")
        .execute(&mut lock)
        .await
        .unwrap();
    let refused = prometheus.fires("IngestDeliveriesRefused", began).await;
    lock.close().await.unwrap();
    for alert in ["IngestFetchingSuspended", "IngestDeliveriesRefused"] {
        assert!(
            prometheus.was_pending(alert).await,
            "{alert} was not pending before it fired"
        );
    }
    println!(
        "firing after: IngestFetchingSuspended {suspended:.1?}, IngestDeadLetters {dead:.1?}, IngestDeliveriesRefused {refused:.1?}"
    );
    sending.abort();
}
