//! Resources that fail for ever, each in its own way, beside others that are notified: those are served within five seconds.

use std::time::Duration;

use avinode_ingest::simulator::faults::{ApiFaults, LastingFault};
use avinode_ingest::simulator::options::SimulatorOptions;
use avinode_ingest::simulator::rate_limit::CallQuota;
use avinode_ingest::simulator::scenario::Scenario;
use serde_json::json;

use super::setup::{IDLE_DEADLINE, Service, simulator};
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::sql::count;

/// Of the simulated Avinode. The service may have a smaller burst; with this one, Avinode does not say that its quota is used up.
const QUOTA: CallQuota = CallQuota { rate: 4.0, burst: 10 };
const SINGLE: CallQuota = CallQuota { rate: 4.0, burst: 1 };
/// The service's default rate.
const SLOW_SINGLE: CallQuota = CallQuota { rate: 1.0, burst: 1 };

struct Case {
    /// Of the bad RFQs, in order.
    faults: Vec<LastingFault>,
    /// Good RFQs, from one second after the bad ones on.
    good: u64,
    /// Seconds from one good RFQ to the next.
    every: u64,
    /// Of the service.
    quota: CallQuota,
    /// The first RFQ is a good one, and shows that the credentials are accepted.
    accepted_before: bool,
}

impl Case {
    fn faults(&self) -> Vec<(String, LastingFault)> {
        let named = |(n, fault): (usize, &LastingFault)| (format!("arfq-{}", 90_000_000 + n), *fault);
        self.faults.iter().enumerate().map(named).collect()
    }

    fn scenario(&self) -> Scenario {
        let mut trips = vec![json!({"short": "BADONE", "id": "atrip-80000000"})];
        let mut actions = Vec::new();
        if self.accepted_before {
            actions.push(
                json!({"rfq": {"at": 1, "trip": "BADONE", "rfq": "arfq-20000000", "operator": "Northwind Jets"}}),
            );
        }
        for (n, (rfq, _)) in self.faults().into_iter().enumerate() {
            actions.push(json!({"rfq": {"at": n + 40, "trip": "BADONE", "rfq": rfq, "operator": "Northwind Jets"}}));
        }
        for n in 0..self.good {
            let (trip, at) = (format!("GOOD{n:02}"), 60 + 10 * self.every * n);
            trips.push(json!({"short": trip, "id": format!("atrip-{}", 70_000_000 + n), "sessions": [trip]}));
            let rfq = format!("arfq-{}", 30_000_000 + n);
            actions.push(json!({"rfq": {"at": at, "trip": trip, "rfq": rfq, "operator": "Northwind Jets"}}));
        }
        let scenario = json!({"trips": trips, "actions": actions});
        Scenario::read(scenario.to_string().as_bytes(), None).unwrap()
    }
}

/// Eight that answer 500, one 401, one 403, and one that does not answer.
fn eleven_faults() -> Vec<LastingFault> {
    let mut faults = vec![LastingFault::Status(500); 8];
    faults.extend([
        LastingFault::Status(401),
        LastingFault::Status(403),
        LastingFault::Silence,
    ]);
    faults
}

/// Plays the case, and checks that the good RFQs are applied within five seconds each.
async fn others_are_served_within_five_seconds(case: &Case) {
    let options = SimulatorOptions {
        speed: 10.0,
        api_faults: ApiFaults {
            silence: Duration::from_secs(40),
            ..ApiFaults::default()
        },
        lasting_faults: case.faults().into_iter().collect(),
        rate_limit: QUOTA,
        ..SimulatorOptions::default()
    };
    let quota = case.quota;
    let simulator = simulator(case.scenario(), options).await;
    let db = Db::new().await;
    let service = Service::start(&simulator, db, "latest", quota).await;
    simulator.play().await.unwrap();
    let pool = &service.db.pool;
    let served = "SELECT count(DISTINCT key) FROM avinode_ingest.outcomes
        WHERE kind = 'fetch_notified' AND outcome = 'applied' AND key LIKE 'arfq-3%'";
    eventually(IDLE_DEADLINE, "all good RFQs are applied", async || {
        equal(count(pool, served).await.unsigned_abs(), case.good)
    })
    .await;
    let slow: Vec<(String, f64)> = sqlx::query_as(
        "SELECT key, extract(epoch FROM finished_at - created_at)::float8 FROM avinode_ingest.outcomes
         WHERE kind = 'fetch_notified' AND key LIKE 'arfq-3%' AND finished_at > created_at + interval '5 seconds'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    assert_eq!(slow, [], "seconds from the notification to its result");
    let bad = count(
        pool,
        "SELECT count(DISTINCT key) FROM avinode_ingest.jobs WHERE key LIKE 'arfq-9%' AND kind = 'fetch_notified'",
    )
    .await;
    assert_eq!(bad.unsigned_abs(), case.faults.len() as u64, "they are still tried");
    assert_eq!(simulator.log().over_limit(), 0);
    let excess = simulator.log().excess(quota.rate, quota.burst);
    assert!(excess <= 0.0, "{excess} calls too many");
}

#[tokio::test(flavor = "multi_thread")]
async fn eleven_bad_resources_delay_no_notification_of_others_by_five_seconds() {
    let case = Case {
        faults: eleven_faults(),
        good: 24,
        every: 1,
        quota: QUOTA,
        accepted_before: true,
    };
    others_are_served_within_five_seconds(&case).await;
}

/// The resource that does not answer would hold the only token until its call is given up.
#[tokio::test(flavor = "multi_thread")]
async fn with_a_burst_of_one_call_one_without_an_answer_delays_no_notification_of_others_by_five_seconds() {
    let case = Case {
        faults: vec![
            LastingFault::Silence,
            LastingFault::Status(500),
            LastingFault::Status(401),
        ],
        good: 24,
        every: 1,
        quota: SINGLE,
        accepted_before: true,
    };
    others_are_served_within_five_seconds(&case).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_burst_of_one_call_eleven_bad_resources_delay_no_notification_of_others_by_five_seconds() {
    let case = Case {
        faults: eleven_faults(),
        good: 24,
        every: 1,
        quota: SINGLE,
        accepted_before: true,
    };
    others_are_served_within_five_seconds(&case).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn at_one_call_per_second_eleven_bad_resources_delay_no_notification_of_others_by_five_seconds() {
    let case = Case {
        faults: eleven_faults(),
        good: 8,
        every: 4,
        quota: SLOW_SINGLE,
        accepted_before: true,
    };
    others_are_served_within_five_seconds(&case).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_resources_delay_no_notification_of_others_before_any_was_answered() {
    for quota in [SINGLE, QUOTA] {
        let case = Case {
            faults: [401, 403].repeat(4).into_iter().map(LastingFault::Status).collect(),
            good: 3,
            every: 1,
            quota,
            accepted_before: false,
        };
        others_are_served_within_five_seconds(&case).await;
    }
}
