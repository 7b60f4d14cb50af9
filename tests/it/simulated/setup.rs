//! A simulated Avinode and the service it tells: how both are started, when all is worked off, and what then holds of every run.

use std::time::Duration;

use avinode_ingest::simulator::credentials::ApiCredentials;
use avinode_ingest::simulator::faults::ApiFaults;
use avinode_ingest::simulator::generate::GeneratorOptions;
use avinode_ingest::simulator::instance::{Simulator, SimulatorOptions};
use avinode_ingest::simulator::log::CallLog;
use avinode_ingest::simulator::rate_limit::RateLimit;
use avinode_ingest::simulator::scenario::Scenario;
use avinode_ingest::simulator::schedule::DeliveryFaults;
use avinode_ingest::simulator::webhook_settings::AuthMode;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::crash::program::Serve;
use crate::support::cluster::Db;
use crate::support::pool::Pool;

/// What the simulator allows, and no more is what the service is told: fewer calls a second than things happen, so that the
/// limit is what everything waits for. The first is of the whole size, which a busy machine may not press hard enough.
pub const WIDE: RateLimit = RateLimit { rate: 100.0, burst: 40 };
pub const NARROW: RateLimit = RateLimit { rate: 30.0, burst: 20 };
/// How long everything may take to be worked off, after the last notification.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// The service: a receiver, and two workers on the same database.
pub struct Service {
    pub db: Db,
    receiver: Serve,
    pub workers: Vec<Serve>,
    base: String,
    policy: &'static str,
    allowance: RateLimit,
}

impl Service {
    pub async fn start(simulator: &Simulator, db: Db, policy: &'static str, allowance: RateLimit) -> Self {
        let url = db.url();
        let role = [("INGEST_ROLE", "receive"), ("AVINODE_WEBHOOK_BASIC", "avinode:hush")];
        let receiver = Serve::start(&[&[("DATABASE_URL", url.as_str())], &role[..]].concat()).await;
        let mut service = Self {
            db,
            receiver,
            workers: Vec::new(),
            base: simulator.base().to_owned(),
            policy,
            allowance,
        };
        service.hire().await;
        service.hire().await;
        let hook = format!("http://{}/webhooks/avinode", service.receiver.address);
        simulator
            .subscribe(&hook, "avinode", "hush", AuthMode::Challenge)
            .unwrap();
        service
    }

    /// Starts another worker.
    pub async fn hire(&mut self) {
        let ApiCredentials { api_token, bearer } = ApiCredentials::default();
        let RateLimit { rate, burst } = self.allowance;
        let (url, rate, burst) = (self.db.url(), rate.to_string(), burst.to_string());
        let worker = [
            ("DATABASE_URL", url.as_str()),
            ("INGEST_ROLE", "work"),
            ("INGEST_LEASE_SECONDS", "5"),
            ("INGEST_PRIMARY_QUOTE", self.policy),
            ("AVINODE_BASE_URL", &self.base),
            ("AVINODE_INSECURE_LOOPBACK", "true"),
            ("AVINODE_API_TOKEN", &api_token),
            ("AVINODE_BEARER", &bearer),
            ("AVINODE_CALLS_PER_SECOND", &rate),
            ("AVINODE_BURST", &burst),
        ];
        self.workers.push(Serve::start(&worker).await);
    }
}

/// Waits until nothing is due, under way or to be tried again; quotes do not expire here. A trip that is to be asked for its
/// other id some minutes later, if nobody tells of it by then, is not waited for.
pub async fn worked_off(pool: &Pool) {
    let begun = Instant::now();
    loop {
        let left: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM avinode_ingest.jobs
             WHERE kind <> 'fetch_follow_up' OR NOT starts_with(key, 'atrip-') OR due_at < clock_timestamp() + interval '30 seconds'",
        )
        .fetch_one(pool)
        .await
        .unwrap();
        if left == 0 {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{left} jobs are left");
        sleep(Duration::from_millis(50)).await;
    }
}

pub async fn dead(pool: &Pool) -> Vec<(String, String)> {
    let dead = "SELECT kind, reason FROM avinode_ingest.dead_jobs ORDER BY id LIMIT 10";
    sqlx::query_as(dead).fetch_all(pool).await.unwrap()
}

/// A simulator of this story on a free port.
pub async fn simulator(story: Scenario, options: SimulatorOptions) -> Simulator {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Simulator::start(listener, story, options, CancellationToken::new()).unwrap()
}

/// Ten things that operators do on each of so many trips, played in so many seconds.
pub fn invented(trips: u32) -> GeneratorOptions {
    GeneratorOptions::of(trips, trips * 10)
}

/// Duplicates, the wrong order, faults and the limit, for a story of this length that is played in so many seconds. What
/// gets no answer is held until the client gives up in the whole size, and for moments else, to save time.
pub fn options(length: u64, seconds: u32, allowance: RateLimit) -> SimulatorOptions {
    let trouble = ApiFaults {
        faults: 0.05,
        ..ApiFaults::default()
    };
    let silence = if allowance == WIDE {
        trouble.silence
    } else {
        Duration::from_secs(3)
    };
    SimulatorOptions {
        #[expect(clippy::cast_precision_loss, reason = "some hours")]
        speed: length as f64 / f64::from(seconds),
        disorder: DeliveryFaults {
            duplicates: 0.1,
            shuffle: true,
        },
        trouble: ApiFaults { silence, ..trouble },
        allowance,
        ..SimulatorOptions::default()
    }
}

/// What holds for every run: all delivered, nothing dead, the limit kept, and not much fetched twice.
pub async fn check(simulator: &Simulator, pool: &Pool, RateLimit { rate, burst }: RateLimit) {
    let log = simulator.log();
    println!("{:?}\n{:?}", log.deliveries(), log.outcomes());
    let deliveries = log.deliveries();
    assert_eq!(deliveries.delivered, deliveries.planned);
    assert_eq!(dead(pool).await, []);
    let excess = log.excess(rate, burst);
    println!(
        "at most {:.1} calls above the rate at once, of {burst}",
        excess + f64::from(burst)
    );
    assert_eq!(log.over_limit(), 0);
    assert!(excess <= 0.0, "{excess} calls too many");
    fetches(log, simulator.truth().changes);
}

/// A duplicate that comes when its change has been fetched is fetched again, as it may be another change: one in twenty.
/// Beyond that, a document may be asked for once more where it is not yet what was told, and a worker was killed.
fn fetches(log: &CallLog, changes: usize) {
    let served = log.served();
    println!("{served} documents for {changes} changes");
    assert!(
        served * 10 <= changes * 13,
        "{served} documents were fetched for {changes} changes"
    );
}
