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

/// Good RFQs, one per second, from one second after the bad ones on.
const GOOD: u64 = 24;
const QUOTA: CallQuota = CallQuota { rate: 4.0, burst: 10 };

/// The bad RFQs: eight answer 500, one 401, one 403, and one does not answer.
fn faults() -> Vec<(String, LastingFault)> {
    let mut faults: Vec<LastingFault> = vec![LastingFault::Status(500); 8];
    faults.extend([
        LastingFault::Status(401),
        LastingFault::Status(403),
        LastingFault::Silence,
    ]);
    let named = |(n, fault)| (format!("arfq-{}", 90_000_000 + n), fault);
    faults.into_iter().enumerate().map(named).collect()
}

fn scenario() -> Scenario {
    let mut trips = vec![json!({"short": "BADONE", "id": "atrip-80000000"})];
    // The first one shows that the credentials are accepted: without it, a refusal of one is a refusal of all.
    let mut actions =
        vec![json!({"rfq": {"at": 1, "trip": "BADONE", "rfq": "arfq-20000000", "operator": "Northwind Jets"}})];
    for (n, (rfq, _)) in faults().into_iter().enumerate() {
        actions.push(json!({"rfq": {"at": n + 40, "trip": "BADONE", "rfq": rfq, "operator": "Northwind Jets"}}));
    }
    for n in 0..GOOD {
        let (trip, at) = (format!("GOOD{n:02}"), 60 + 10 * n);
        trips.push(json!({"short": trip, "id": format!("atrip-{}", 70_000_000 + n), "sessions": [trip]}));
        let rfq = format!("arfq-{}", 30_000_000 + n);
        actions.push(json!({"rfq": {"at": at, "trip": trip, "rfq": rfq, "operator": "Northwind Jets"}}));
    }
    let scenario = json!({"trips": trips, "actions": actions});
    Scenario::read(scenario.to_string().as_bytes(), None).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn eleven_bad_resources_delay_no_notification_of_others_by_five_seconds() {
    let options = SimulatorOptions {
        speed: 10.0,
        api_faults: ApiFaults {
            silence: Duration::from_secs(40),
            ..ApiFaults::default()
        },
        lasting_faults: faults().into_iter().collect(),
        rate_limit: QUOTA,
        ..SimulatorOptions::default()
    };
    let simulator = simulator(scenario(), options).await;
    let db = Db::new().await;
    let service = Service::start(&simulator, db, "latest", QUOTA).await;
    simulator.play().await.unwrap();
    let pool = &service.db.pool;
    let served = "SELECT count(DISTINCT key) FROM avinode_ingest.outcomes
        WHERE kind = 'fetch_notified' AND outcome = 'applied' AND key LIKE 'arfq-3%'";
    eventually(IDLE_DEADLINE, "all good RFQs are applied", async || {
        equal(count(pool, served).await.unsigned_abs(), GOOD)
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
    assert_eq!(bad, 11, "they are still tried");
    assert_eq!(simulator.log().over_limit(), 0);
}
