//! The whole of it, from a simulated Avinode's notifications to the sessions: duplicates, the wrong order, faults, a rate
//! limit and a worker killed in the middle, and in the end the sessions are as the simulator alone knows they must be.
//!
//! `TEST_TRIPS` says how many trips there are, each with ten things that operators do: 40 where it says nothing, 200 in
//! `.ci/run`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use avinode_ingest::cli::simulate::cast::Cast;
use avinode_ingest::domain::election::Policy;
use avinode_ingest::simulator::action::Action;
use avinode_ingest::simulator::budget::Allowance;
use avinode_ingest::simulator::credentials::Credentials;
use avinode_ingest::simulator::faults::Trouble;
use avinode_ingest::simulator::generate::Generate;
use avinode_ingest::simulator::log::Log;
use avinode_ingest::simulator::plan::Disorder;
use avinode_ingest::simulator::run::{Options, Simulator};
use avinode_ingest::simulator::scenario::Scenario;
use avinode_ingest::simulator::settings::Proof;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::crash::program::{Program, Serve};
use crate::support::cluster::Db;
use crate::support::pool::Pool;

/// What the simulator allows, and no more is what the service is told: fewer calls a second than things happen, so that the
/// limit is what everything waits for. The first is of the whole size, which a busy machine may not press hard enough.
const WIDE: Allowance = Allowance { rate: 100.0, burst: 40 };
const NARROW: Allowance = Allowance { rate: 30.0, burst: 20 };
/// The trips of the whole size.
const WHOLE: u32 = 200;
/// How long everything may take to be worked off, after the last notification.
const PATIENCE: Duration = Duration::from_secs(300);

/// The service: a receiver, and two workers on the same database.
struct Service {
    db: Db,
    receiver: Serve,
    workers: Vec<Serve>,
    base: String,
    policy: &'static str,
    allowance: Allowance,
}

impl Service {
    async fn start(simulator: &Simulator, db: Db, policy: &'static str, allowance: Allowance) -> Self {
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
        simulator.subscribe(&hook, "avinode", "hush", Proof::Challenge).unwrap();
        service
    }

    /// Starts another worker.
    async fn hire(&mut self) {
        let Credentials { api_token, bearer } = Credentials::default();
        let Allowance { rate, burst } = self.allowance;
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

/// Waits until nothing is due, under way or to be tried again; quotes do not expire here.
async fn worked_off(pool: &Pool) {
    let begun = Instant::now();
    loop {
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM avinode_ingest.jobs")
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

async fn dead(pool: &Pool) -> Vec<(String, String)> {
    let dead = "SELECT kind, reason FROM avinode_ingest.dead_jobs ORDER BY id LIMIT 10";
    sqlx::query_as(dead).fetch_all(pool).await.unwrap()
}

/// A simulator of this story on a free port.
async fn simulator(story: Scenario, options: Options) -> Simulator {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    Simulator::start(listener, story, options, CancellationToken::new()).unwrap()
}

/// Ten things that operators do on each of so many trips, played in so many seconds.
fn invented(trips: u32) -> Generate {
    Generate::of(trips, trips * 10)
}

/// Duplicates, the wrong order, faults and the limit, for a story of this length that is played in so many seconds. What
/// gets no answer is held until the client gives up in the whole size, and for moments else, to save time.
fn options(length: u64, seconds: u32, allowance: Allowance) -> Options {
    let trouble = Trouble {
        faults: 0.05,
        ..Trouble::default()
    };
    let silence = if allowance == WIDE {
        trouble.silence
    } else {
        Duration::from_secs(3)
    };
    Options {
        #[expect(clippy::cast_precision_loss, reason = "some hours")]
        speed: length as f64 / f64::from(seconds),
        disorder: Disorder {
            duplicates: 0.1,
            shuffle: true,
        },
        trouble: Trouble { silence, ..trouble },
        allowance,
        ..Options::default()
    }
}

/// What holds for every run: all delivered, nothing dead, the limit kept, and not much fetched twice.
async fn check(simulator: &Simulator, pool: &Pool, Allowance { rate, burst }: Allowance) {
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
fn fetches(log: &Log, changes: usize) {
    let served = log.served();
    println!("{served} documents for {changes} changes");
    assert!(
        served * 10 <= changes * 13,
        "{served} documents were fetched for {changes} changes"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_on_the_way_the_sessions_end_as_the_simulator_has_it() {
    let trips = asked();
    let story = Scenario::invented(invented(trips), 7).unwrap();
    assert_eq!(story.operator_actions(), trips as usize * 10);
    let (length, changes) = (story.length(), story.actions.len());
    let (seconds, allowance) = if trips < WHOLE { (8, NARROW) } else { (trips / 8, WIDE) };
    let simulator = simulator(story, options(length, seconds, allowance)).await;
    let db = Db::new().await;
    let cast = Cast::make(&db.pool, simulator.scenario()).await.unwrap();
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
    let differences = cast.differences(&sessions, &simulator.truth(), Policy::Latest);
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
    let cast = Cast::make(&db.pool, simulator.scenario()).await.unwrap();
    let service = Service::start(&simulator, db, "lowest-price", NARROW).await;
    simulator.play().await.unwrap();
    worked_off(&service.db.pool).await;
    check(&simulator, &service.db.pool, NARROW).await;
    let sessions = cast.sessions(&service.db.pool).await.unwrap();
    let differences = cast.differences(&sessions, &simulator.truth(), Policy::LowestPrice);
    assert_eq!(differences, Vec::<String>::new());
}

/// What a person types: the simulator and the service as two programs, which find each other by what the first one prints.
#[tokio::test(flavor = "multi_thread")]
async fn simulate_plays_its_story_to_a_service_and_holds_the_sessions_against_it() {
    let db = Db::new().await;
    let url = db.url();
    // Free a moment ago: the service is to know the simulator's address, and the simulator the service's.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (rate, burst) = (WIDE.rate.to_string(), WIDE.burst.to_string());
    let basic = ("AVINODE_WEBHOOK_BASIC", "avinode:hush");
    let base = format!("http://{free}/api");
    let Credentials { api_token, bearer } = Credentials::default();
    let printed = [
        ("AVINODE_BASE_URL", base.as_str()),
        ("AVINODE_INSECURE_LOOPBACK", "true"),
        ("AVINODE_API_TOKEN", &api_token),
        ("AVINODE_BEARER", &bearer),
    ];
    let others = [
        ("DATABASE_URL", url.as_str()),
        basic,
        ("AVINODE_CALLS_PER_SECOND", &rate),
        ("AVINODE_BURST", &burst),
    ];
    let service = Serve::start(&[&printed[..], &others].concat()).await;
    let line = format!(
        "simulate --listen {free} --target http://{} --sessions --exit --speed 10000 --duplicates 0.5 --shuffle \
         --faults 0.1 --allow {rate} --allow-burst {burst} --seed 3",
        service.address
    );
    let mut simulate = Program::start(&line, &[("DATABASE_URL", url.as_str()), basic]);
    let ended = simulate.ended(PATIENCE).await;
    let said = simulate.said();
    assert_eq!(ended.code(), Some(0), "{said}");
    assert!(said.contains("every session is as the scenario has it"), "{said}");
    let settings = printed.map(|(name, value)| format!("{name}={value}")).join(" ");
    assert!(said.contains(&settings), "{said}");
    assert_eq!(dead(&db.pool).await, []);
}

#[tokio::test]
async fn simulate_without_a_target_begins_once_a_setting_is_made_by_the_api() {
    let mut simulate = Program::start("simulate --listen 127.0.0.1:0 --exit --speed 1000000 --allow 1000", &[]);
    let line = simulate.line("AVINODE_BASE_URL=").await;
    let base = line.split([' ', '=']).nth(1).unwrap().to_owned();
    simulate.line("nothing happens until").await;
    let Credentials { api_token, bearer } = Credentials::default();
    let settings = [
        ("AVINODE_BASE_URL", base.as_str()),
        ("AVINODE_INSECURE_LOOPBACK", "true"),
        ("AVINODE_API_TOKEN", &api_token),
        ("AVINODE_BEARER", &bearer),
        ("AVINODE_WEBHOOK_BASIC", "avinode:hush"),
    ];
    // Nobody is there: what is sent is given up after 48 hours of the story's, which the exit code tells.
    let hook = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut webhooks = Program::start(&format!("webhooks create --target http://{hook}/hook"), &settings);
    assert_eq!(webhooks.ended(PATIENCE).await.code(), Some(0), "{}", webhooks.said());
    let ended = simulate.ended(PATIENCE).await;
    assert_eq!(ended.code(), Some(1), "{}", simulate.said());
    assert!(
        simulate.said().contains("given up after 48 hours"),
        "{}",
        simulate.said()
    );
    assert!(!simulate.said().contains("hush"), "{}", simulate.said());
}

#[tokio::test]
async fn simulate_is_reached_from_this_machine_only_unless_told_otherwise_and_needs_to_know_who_calls() {
    for (line, said) in [
        ("--listen 0.0.0.0:0", "--listen-anywhere allows it"),
        (
            "--listen 127.0.0.1:0 --target http://127.0.0.1:9",
            "AVINODE_WEBHOOK_BASIC (--webhook-basic) must be set",
        ),
        ("--speed 0", "--speed: \"0\" is not a number above 0"),
        ("--faults 2", "--faults: \"2\" is not a share from 0 to 1"),
    ] {
        let mut simulate = Program::start(&format!("simulate {line}"), &[]);
        assert_eq!(simulate.ended(PATIENCE).await.code(), Some(64), "{}", simulate.said());
        assert!(simulate.said().contains(said), "{}", simulate.said());
    }
}

/// Changes that the API shows only half a second after it has told of them.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_fetched_too_early_is_fetched_again() {
    let story = Scenario::invented(invented(15), 5).unwrap();
    let length = story.length();
    let mut options = options(length, 20, WIDE);
    options.trouble.faults = 0.0;
    options.trouble.late = 0.3;
    let simulator = simulator(story, options).await;
    let db = Db::new().await;
    let cast = Cast::make(&db.pool, simulator.scenario()).await.unwrap();
    let service = Service::start(&simulator, db, "latest", WIDE).await;
    simulator.play().await.unwrap();
    worked_off(&service.db.pool).await;
    let stale = simulator.log().outcomes().get("stale").copied();
    assert!(stale > Some(5), "{:?}", simulator.log().outcomes());
    let sessions = cast.sessions(&service.db.pool).await.unwrap();
    let differences = cast.differences(&sessions, &simulator.truth(), Policy::Latest);
    assert_eq!(differences, Vec::<String>::new());
}
