//! Starts a simulated Avinode and the service, waits until all jobs have run, and checks what holds for every run.

use std::time::Duration;

use avinode_ingest::simulator::credentials::ApiCredentials;
use avinode_ingest::simulator::faults::ApiFaults;
use avinode_ingest::simulator::generate::GeneratorOptions;
use avinode_ingest::simulator::instance::Simulator;
use avinode_ingest::simulator::log::CallLog;
use avinode_ingest::simulator::options::SimulatorOptions;
use avinode_ingest::simulator::rate_limit::CallQuota;
use avinode_ingest::simulator::scenario::Scenario;
use avinode_ingest::simulator::schedule::DeliveryFaults;
use avinode_ingest::simulator::webhook_settings::AuthMode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::crash::program::Serve;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::pool::Pool;
use crate::support::sql::count;

/// The limit of the simulator and of the service: fewer calls per second than actions, so that the limit is the bottleneck. For
/// the full size it is wider, because a busy machine may not reach a narrow one.
pub const WIDE: CallQuota = CallQuota { rate: 100.0, burst: 40 };
pub const NARROW: CallQuota = CallQuota { rate: 30.0, burst: 20 };
/// For all jobs to run, after the last notification.
pub const IDLE_DEADLINE: Duration = Duration::from_secs(300);

/// A receiver and two workers on the same database.
pub struct Service {
    pub db: Db,
    receiver: Serve,
    pub workers: Vec<Serve>,
    base: String,
    policy: &'static str,
    rate_limit: CallQuota,
}

impl Service {
    pub async fn start(simulator: &Simulator, db: Db, policy: &'static str, rate_limit: CallQuota) -> Self {
        let url = db.url();
        let role = [("INGEST_ROLE", "receive"), ("AVINODE_WEBHOOK_BASIC", "avinode:hush")];
        let receiver = Serve::start(&[&[("DATABASE_URL", url.as_str())], &role[..]].concat()).await;
        let mut service = Self {
            db,
            receiver,
            workers: Vec::new(),
            base: simulator.base().to_owned(),
            policy,
            rate_limit,
        };
        service.start_worker().await;
        service.start_worker().await;
        let hook = format!("http://{}/webhooks/avinode", service.receiver.address);
        simulator
            .subscribe(&hook, "avinode", "hush", AuthMode::Challenge)
            .unwrap();
        service
    }

    pub async fn start_worker(&mut self) {
        let ApiCredentials { api_token, bearer } = ApiCredentials::default();
        let CallQuota { rate, burst } = self.rate_limit;
        let (url, rate, burst) = (self.db.url(), rate.to_string(), burst.to_string());
        let worker = [
            ("DATABASE_URL", url.as_str()),
            ("INGEST_ROLE", "work"),
            ("INGEST_LEASE_DURATION", "5s"),
            ("INGEST_PRIMARY_QUOTE_POLICY", self.policy),
            ("AVINODE_BASE_URL", &self.base),
            ("AVINODE_INSECURE_LOOPBACK", "true"),
            ("AVINODE_API_TOKEN", &api_token),
            ("AVINODE_BEARER", &bearer),
            ("AVINODE_CALLS_PER_SECOND", &rate),
            ("AVINODE_BURST", &burst),
            // Its calls would hide those that are counted.
            ("AVINODE_RECONCILE_INTERVAL", "off"),
        ];
        self.workers.push(Serve::start(&worker).await);
    }
}

/// Waits until no job is due, running or to be retried; quotes do not expire here. Does not wait for the jobs that fetch a trip
/// for its second id some minutes later, nor for the sessions for which these have no room yet.
pub async fn wait_until_idle(pool: &Pool) {
    let left = "SELECT count(*) FROM avinode_ingest.jobs
        WHERE due_at < clock_timestamp() + interval '30 seconds' OR NOT (
            kind = 'fetch_speculative' OR coalesce(batch_key = 'fetch_speculative', false)
            OR kind = 'fetch_follow_up' AND (key NOT LIKE '%-%' OR starts_with(key, 'atrip-'))
        )";
    eventually(IDLE_DEADLINE, "all jobs have run", async || {
        equal(count(pool, left).await, 0)
    })
    .await;
}

pub async fn dead(pool: &Pool) -> Vec<(String, String)> {
    let dead = "SELECT kind, reason FROM avinode_ingest.dead_jobs ORDER BY id LIMIT 10";
    sqlx::query_as(dead).fetch_all(pool).await.unwrap()
}

/// Starts a simulator on a free port.
pub async fn simulator(scenario: Scenario, options: SimulatorOptions) -> Simulator {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Simulator::start(listener, scenario, options, CancellationToken::new()).unwrap()
}

/// Generates a scenario with ten actions of operators per trip.
pub fn generated(trips: u32, seed: u64) -> Scenario {
    Scenario::generated(GeneratorOptions::new(trips, trips * 10), seed).unwrap()
}

/// Duplicates, the wrong order, faults and the limit, for a scenario of this length that is played in this time. A call without an
/// answer is held until the client gives up in the full size, and for moments otherwise, to save time.
pub fn options(length: u64, seconds: u32, rate_limit: CallQuota) -> SimulatorOptions {
    let api_faults = ApiFaults {
        faults: 0.05,
        // A new resource is missing, or shown as it was before it was changed.
        late: 0.2,
        ..ApiFaults::default()
    };
    let silence = if rate_limit == WIDE {
        api_faults.silence
    } else {
        Duration::from_secs(3)
    };
    SimulatorOptions {
        #[expect(clippy::cast_precision_loss, reason = "some hours")]
        speed: length as f64 / f64::from(seconds),
        delivery_faults: DeliveryFaults {
            duplicates: 0.1,
            shuffle: true,
        },
        api_faults: ApiFaults { silence, ..api_faults },
        rate_limit,
        ..SimulatorOptions::default()
    }
}

/// Checks what holds for every run: all delivered, no dead job, the limit kept, and few documents fetched twice.
pub async fn check(simulator: &Simulator, pool: &Pool, CallQuota { rate, burst }: CallQuota) {
    let log = simulator.log();
    println!("{:?}\n{:?}", log.deliveries(), log.results());
    let deliveries = log.deliveries();
    assert_eq!(deliveries.delivered, deliveries.planned);
    assert_eq!(dead(pool).await, []);
    let excess = log.excess(rate, burst);
    println!(
        "the worst window had {:.1} calls above the rate, of {burst}",
        excess + f64::from(burst)
    );
    assert_eq!(log.over_limit(), 0);
    assert!(excess <= 0.0, "{excess} calls too many");
    check_fetches(log, simulator.expected().changes);
}

/// A change is fetched twice if it was fetched within the API lag: at most once more each. A duplicate that arrives after its
/// change was fetched is fetched again, because it may be another change: one in twenty. Another reason is a killed worker.
fn check_fetches(log: &CallLog, changes: usize) {
    let served = log.served();
    println!("{served} documents for {changes} changes");
    assert!(
        served * 10 <= changes * 23,
        "{served} documents were fetched for {changes} changes"
    );
}
