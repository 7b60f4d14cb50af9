//! Stories of any size, played to the end: the sessions are as the simulator has it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use avinode_ingest::cli::simulate::seed_sessions::SeededSessions;
use avinode_ingest::domain::primary_quote::PrimaryQuotePolicy;
use avinode_ingest::simulator::action::Action;
use avinode_ingest::simulator::instance::Simulator;
use avinode_ingest::simulator::scenario::Scenario;
use tokio::time::{Instant, sleep};

use super::setup::{NARROW, PATIENCE, Service, WIDE, check, invented, options, simulator, worked_off};
use crate::support::cluster::Db;

/// The trips of the whole size.
const WHOLE: u32 = 200;

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_on_the_way_the_sessions_end_as_the_simulator_has_it() {
    let trips = asked();
    let story = Scenario::invented(invented(trips), 7).unwrap();
    assert_eq!(story.operator_actions(), trips as usize * 10);
    let (length, changes) = (story.length(), story.actions.len());
    let (seconds, allowance) = if trips < WHOLE { (8, NARROW) } else { (trips / 8, WIDE) };
    let simulator = simulator(story, options(length, seconds, allowance)).await;
    let db = Db::new().await;
    let cast = SeededSessions::create(&db.pool, simulator.scenario()).await.unwrap();
    let mut service = Service::start(&simulator, db, "latest", allowance).await;
    let killing = async {
        until_fetched(&simulator, changes / 3).await;
        service.workers.remove(0).program.kill().await;
        until_fetched(&simulator, changes / 2).await;
        service.hire().await;
    };
    let (played, ()) = tokio::join!(simulator.play(), killing);
    played.unwrap();
    worked_off(&service.db.pool).await;
    check(&simulator, &service.db.pool, allowance).await;
    let sessions = cast.sessions(&service.db.pool).await.unwrap();
    let differences = cast.differences(&sessions, &simulator.truth(), PrimaryQuotePolicy::Latest);
    assert_eq!(differences, Vec::<String>::new());
}

/// Waits until so many documents were fetched; patient, as the rate limit bounds it.
async fn until_fetched(simulator: &Simulator, documents: usize) {
    let begun = Instant::now();
    while simulator.log().served() < documents {
        let served = simulator.log().served();
        assert!(
            begun.elapsed() < PATIENCE,
            "{served} of {documents} documents were fetched"
        );
        sleep(Duration::from_millis(10)).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how much a test does is no setting of the service"
)]
fn asked() -> u32 {
    let trips = std::env::var("TEST_TRIPS").map_or(40, |trips| trips.parse().unwrap());
    assert!(trips >= 40, "TEST_TRIPS: at least 40");
    trips
}

/// The story without changed prices of RFQs that are declined at any time: without a stamp of change nothing tells a reader
/// that comes later which of the two was last.
fn that_can_be_told(story: Scenario) -> Scenario {
    let mut rfqs = BTreeMap::new();
    let mut declined = BTreeSet::new();
    for action in &story.actions {
        match action {
            Action::Quote(quote) => drop(rfqs.insert(quote.quote.clone(), quote.rfq.clone())),
            Action::Decline(decline) => drop(declined.insert(decline.rfq.clone())),
            _ => {}
        }
    }
    let told = |action: &Action| match action {
        Action::Price(price) => !declined.contains(&rfqs[&price.quote]),
        _ => true,
    };
    Scenario {
        updated_on: false,
        actions: story.actions.into_iter().filter(told).collect(),
        ..story
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_holds_where_documents_do_not_say_when_they_were_changed() {
    let story = that_can_be_told(Scenario::invented(invented(15), 11).unwrap());
    let length = story.length();
    let simulator = simulator(story, options(length, 4, NARROW)).await;
    let db = Db::new().await;
    let cast = SeededSessions::create(&db.pool, simulator.scenario()).await.unwrap();
    let service = Service::start(&simulator, db, "lowest-price", NARROW).await;
    simulator.play().await.unwrap();
    worked_off(&service.db.pool).await;
    check(&simulator, &service.db.pool, NARROW).await;
    let sessions = cast.sessions(&service.db.pool).await.unwrap();
    let differences = cast.differences(&sessions, &simulator.truth(), PrimaryQuotePolicy::LowestPrice);
    assert_eq!(differences, Vec::<String>::new());
}

/// Changes that the API shows only one and a half seconds after it has told of them.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_fetched_too_early_is_fetched_again() {
    let story = Scenario::invented(invented(15), 5).unwrap();
    let length = story.length();
    let mut options = options(length, 20, WIDE);
    options.trouble.faults = 0.0;
    options.trouble.late = 0.3;
    options.trouble.lateness = Duration::from_millis(1_500);
    let simulator = simulator(story, options).await;
    let db = Db::new().await;
    let cast = SeededSessions::create(&db.pool, simulator.scenario()).await.unwrap();
    let service = Service::start(&simulator, db, "latest", WIDE).await;
    simulator.play().await.unwrap();
    worked_off(&service.db.pool).await;
    let stale = simulator.log().outcomes().get("stale").copied();
    assert!(stale > Some(5), "{:?}", simulator.log().outcomes());
    let sessions = cast.sessions(&service.db.pool).await.unwrap();
    let differences = cast.differences(&sessions, &simulator.truth(), PrimaryQuotePolicy::Latest);
    assert_eq!(differences, Vec::<String>::new());
}
