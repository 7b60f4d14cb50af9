//! Generated scenarios: the sessions end as the simulator expects.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use avinode_ingest::cli::simulate::seed_sessions::SeededSessions;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::simulator::action::Action;
use avinode_ingest::simulator::instance::Simulator;
use avinode_ingest::simulator::scenario::Scenario;

use super::setup::{IDLE_DEADLINE, NARROW, Service, WIDE, check, generated, options, simulator, wait_until_idle};
use crate::support::cluster::Db;
use crate::support::eventually::{at_least, eventually};

/// The trips of the full size.
const FULL_SIZE: u32 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn with_faults_duplicates_and_a_killed_worker_the_sessions_end_as_the_simulator_expects() {
    let trips = wanted_trips();
    let scenario = generated(trips, 7);
    assert_eq!(scenario.operator_actions(), trips as usize * 10);
    let (length, changes) = (scenario.length(), scenario.actions.len());
    let (seconds, rate_limit) = if trips < FULL_SIZE {
        (8, NARROW)
    } else {
        (trips / 8, WIDE)
    };
    let simulator = simulator(scenario, options(length, seconds, rate_limit)).await;
    let db = Db::new().await;
    let seeded = SeededSessions::create(&db.pool, simulator.scenario()).await.unwrap();
    let mut service = Service::start(&simulator, db, "latest", rate_limit).await;
    let killing = async {
        until_fetched(&simulator, changes / 3).await;
        service.workers.remove(0).program.kill().await;
        until_fetched(&simulator, changes / 2).await;
        service.start_worker().await;
    };
    let (played, ()) = tokio::join!(simulator.play(), killing);
    played.unwrap();
    wait_until_idle(&service.db.pool).await;
    check(&simulator, &service.db.pool, rate_limit).await;
    let sessions = seeded.sessions(&service.db.pool).await.unwrap();
    let differences = seeded.differences(&sessions, &simulator.expected(), PrimaryQuotePolicy::Latest);
    assert_eq!(differences, Vec::<String>::new());
}

/// Waits until this many documents were fetched; the rate limit makes it slow.
async fn until_fetched(simulator: &Simulator, documents: usize) {
    eventually(IDLE_DEADLINE, "so many documents were fetched", async || {
        at_least(simulator.log().served(), documents)
    })
    .await;
}

#[expect(
    clippy::disallowed_methods,
    reason = "the size of a test is no setting of the service"
)]
fn wanted_trips() -> u32 {
    let trips = std::env::var("TEST_TRIPS").map_or(40, |trips| trips.parse().unwrap());
    assert!(trips >= 40, "TEST_TRIPS: at least 40");
    trips
}

/// Removes the changed prices of RFQs that are declined at any time: without a time of change, a later reader cannot know which
/// of the two came last.
fn without_ambiguous_prices(scenario: Scenario) -> Scenario {
    let mut rfqs = BTreeMap::new();
    let mut declined = BTreeSet::new();
    for action in &scenario.actions {
        match action {
            Action::Quote { quote, rfq, .. } => drop(rfqs.insert(quote.clone(), rfq.clone())),
            Action::Decline { rfq, .. } => drop(declined.insert(rfq.clone())),
            _ => {}
        }
    }
    let is_clear = |action: &Action| match action {
        Action::Price { quote, .. } => !declined.contains(&rfqs[quote]),
        _ => true,
    };
    Scenario {
        updated_on: false,
        actions: scenario.actions.into_iter().filter(is_clear).collect(),
        ..scenario
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_end_as_expected_without_times_of_change_in_documents() {
    let scenario = without_ambiguous_prices(generated(15, 11));
    let length = scenario.length();
    let simulator = simulator(scenario, options(length, 4, NARROW)).await;
    let db = Db::new().await;
    let seeded = SeededSessions::create(&db.pool, simulator.scenario()).await.unwrap();
    let service = Service::start(&simulator, db, "lowest-price", NARROW).await;
    simulator.play().await.unwrap();
    wait_until_idle(&service.db.pool).await;
    check(&simulator, &service.db.pool, NARROW).await;
    let sessions = seeded.sessions(&service.db.pool).await.unwrap();
    let differences = seeded.differences(&sessions, &simulator.expected(), PrimaryQuotePolicy::LowestPrice);
    assert_eq!(differences, Vec::<String>::new());
}

/// The API shows changes only one and a half seconds after their notification.
#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_is_fetched_too_early_is_fetched_again() {
    let scenario = generated(15, 5);
    let length = scenario.length();
    let mut options = options(length, 20, WIDE);
    options.api_faults.faults = 0.0;
    options.api_faults.late = 0.5;
    options.api_faults.lateness = Duration::from_millis(1_500);
    let simulator = simulator(scenario, options).await;
    let db = Db::new().await;
    let seeded = SeededSessions::create(&db.pool, simulator.scenario()).await.unwrap();
    let service = Service::start(&simulator, db, "latest", WIDE).await;
    simulator.play().await.unwrap();
    wait_until_idle(&service.db.pool).await;
    let stale = simulator.log().results().get("stale").copied();
    assert!(stale > Some(5), "{:?}", simulator.log().results());
    let sessions = seeded.sessions(&service.db.pool).await.unwrap();
    let differences = seeded.differences(&sessions, &simulator.expected(), PrimaryQuotePolicy::Latest);
    assert_eq!(differences, Vec::<String>::new());
}
