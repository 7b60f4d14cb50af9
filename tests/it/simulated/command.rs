//! The command `simulate`.

use avinode_ingest::simulator::credentials::ApiCredentials;
use tokio::net::TcpListener;

use super::setup::{IDLE_DEADLINE, WIDE, dead};
use crate::crash::program::{Program, Serve};
use crate::support::cluster::Db;
use crate::support::sql::count;

/// Runs the simulator and the service as two programs, with the settings that the first one prints.
#[tokio::test(flavor = "multi_thread")]
async fn simulate_plays_its_scenario_to_a_service_and_compares_the_sessions() {
    let db = Db::new().await;
    let url = db.url();
    // A port that was free a moment ago: each program must know the address of the other.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let (rate, burst) = (WIDE.rate.to_string(), WIDE.burst.to_string());
    let basic = ("AVINODE_WEBHOOK_BASIC", "avinode:hush");
    let base = format!("http://{free}/api");
    let ApiCredentials { api_token, bearer } = ApiCredentials::default();
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
    let ended = simulate.ended(IDLE_DEADLINE).await;
    let output = simulate.said();
    assert_eq!(ended.code(), Some(0), "{output}");
    assert!(
        output.contains("every session is as expected by the scenario"),
        "{output}"
    );
    let settings = printed.map(|(name, value)| format!("{name}={value}")).join(" ");
    assert!(output.contains(&settings), "{output}");
    assert_eq!(dead(&db.pool).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn simulate_on_a_taken_address_leaves_no_sessions() {
    let db = Db::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let line = format!("simulate --trips 2 --listen {} --sessions", taken.local_addr().unwrap());
    let mut simulate = Program::start(&line, &[("DATABASE_URL", &db.url())]);
    let ended = simulate.ended(IDLE_DEADLINE).await;
    assert_eq!(ended.code(), Some(69), "{}", simulate.said());
    assert_eq!(count(&db.pool, "SELECT count(*) FROM public.chat_sessions").await, 0);
}

#[tokio::test]
async fn simulate_prints_the_address_of_the_console_if_the_service_has_one() {
    let environment = [("INGEST_ADMIN_LISTEN", "127.0.0.1:9464")];
    let mut simulate = Program::start("simulate --listen 127.0.0.1:0", &environment);
    simulate
        .line("console of the service: http://127.0.0.1:9464/console")
        .await;
    simulate.interrupt_group();
    simulate.ended(IDLE_DEADLINE).await;
}

#[tokio::test]
async fn simulate_without_a_target_starts_once_a_webhook_setting_is_created() {
    let mut simulate = Program::start("simulate --listen 127.0.0.1:0 --exit --speed 1000000 --allow 1000", &[]);
    let line = simulate.line("AVINODE_BASE_URL=").await;
    let base = line.split([' ', '=']).nth(1).unwrap().to_owned();
    simulate.line("waiting for a webhook setting").await;
    let ApiCredentials { api_token, bearer } = ApiCredentials::default();
    let settings = [
        ("AVINODE_BASE_URL", base.as_str()),
        ("AVINODE_INSECURE_LOOPBACK", "true"),
        ("AVINODE_API_TOKEN", &api_token),
        ("AVINODE_BEARER", &bearer),
        ("AVINODE_WEBHOOK_BASIC", "avinode:hush"),
    ];
    // Nothing listens there: the notifications are given up after 48 hours of the scenario, and the exit code says so.
    let hook = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut webhooks = Program::start(
        &format!("webhooks create --skip-target-check --target http://{hook}/hook"),
        &settings,
    );
    assert_eq!(
        webhooks.ended(IDLE_DEADLINE).await.code(),
        Some(0),
        "{}",
        webhooks.said()
    );
    let ended = simulate.ended(IDLE_DEADLINE).await;
    assert_eq!(ended.code(), Some(1), "{}", simulate.said());
    assert!(
        simulate.said().contains("given up after 48 hours"),
        "{}",
        simulate.said()
    );
    assert!(!simulate.said().contains("hush"), "{}", simulate.said());
}

#[tokio::test]
async fn simulate_listens_on_the_loopback_address_by_default_and_needs_credentials_for_a_target() {
    for (line, message) in [
        ("--listen 0.0.0.0:0", "--listen-anywhere allows it"),
        (
            "--listen 127.0.0.1:0 --target http://127.0.0.1:9",
            "AVINODE_WEBHOOK_BASIC (--webhook-basic) must be set",
        ),
        ("--speed 0", "--speed: \"0\" is not a number above 0"),
        ("--faults 2", "--faults: \"2\" is not a ratio from 0 to 1"),
    ] {
        let mut simulate = Program::start(&format!("simulate {line}"), &[]);
        assert_eq!(
            simulate.ended(IDLE_DEADLINE).await.code(),
            Some(64),
            "{}",
            simulate.said()
        );
        assert!(simulate.said().contains(message), "{}", simulate.said());
    }
}
