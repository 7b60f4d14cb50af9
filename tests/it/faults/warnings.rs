//! A fault is warned of at most once a second, however many requests and jobs it fails.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::RECOVERY;
use super::messages::END_ALL;
use crate::crash::durable::Durable;
use crate::crash::load::{self, Load};
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::bodies::{base, message};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::{at_least, equal, eventually};
use crate::support::sql::count;
use crate::support::throughout::throughout;

const SENDERS: usize = 16;
const EVENTS: usize = 100_000;

/// Warnings and errors by second and message, in which numbers are left out.
fn warnings(said: &str) -> BTreeMap<(String, String), usize> {
    let mut lines = BTreeMap::new();
    for line in said.lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        if !["WARN", "ERROR"].contains(&line["level"].as_str().unwrap_or_default()) {
            continue;
        }
        let second = line["timestamp"]
            .as_str()
            .unwrap_or_default()
            .chars()
            .take(19)
            .collect();
        let message = line["message"].as_str().unwrap_or_default();
        let message = message.chars().filter(|c| !c.is_ascii_digit()).collect();
        *lines.entry((second, message)).or_default() += 1;
    }
    lines
}

/// Fails if a message stands twice in a second, or if there were no more failures than lines.
fn check_warnings(said: &str, least: usize) {
    let warnings = warnings(said);
    let repeated: Vec<_> = warnings.iter().filter(|(_, lines)| **lines > 1).collect();
    assert!(repeated.is_empty(), "{repeated:?}");
    assert!(warnings.len() >= least, "{warnings:?}");
}

async fn serving(postgres: &Durable) -> (Serve, Load) {
    let sessions = load::sessions(&postgres.pool).await;
    let url = postgres.url();
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_LOG_FORMAT", "json")]).await;
    service.ready().await;
    let load = Load::start(&service.address, EVENTS, SENDERS, sessions);
    load.reach(200).await;
    (service, load)
}

async fn recovered(load: &Load) {
    let kept = load.acknowledged();
    eventually(RECOVERY, "deliveries are kept again", async || {
        at_least(load.acknowledged(), kept + 2 * SENDERS)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_warned_of_once_a_second() {
    let postgres = Durable::new().await;
    let (service, load) = serving(&postgres).await;
    postgres.kill().await;
    eventually(PATIENCE, "senders get 503 for several seconds", async || {
        at_least(load.answers(503), 8 * SENDERS)
    })
    .await;
    let _postgres = postgres.start_again().await;
    recovered(&load).await;
    check_warnings(&service.program.said(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn server_processes_that_are_ended_in_a_loop_are_warned_of_once_a_second() {
    let postgres = Durable::new().await;
    let (service, load) = serving(&postgres).await;
    throughout(Duration::from_secs(4), async || {
        count(&postgres.pool, END_ALL).await;
    })
    .await;
    recovered(&load).await;
    check_warnings(&service.program.said(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_that_die_of_one_cause_are_warned_of_once_a_second_and_counted() {
    let postgres = Durable::new().await;
    let (service, load) = serving(&postgres).await;
    let client = load::client(&service.address);
    for _ in 0..50 {
        let (status, ..) = load::post(&client, &service.address, b"{}".to_vec()).await.unwrap();
        assert_eq!(status, 200);
    }
    eventually(PATIENCE, "all are dead", async || {
        equal(
            count(&postgres.pool, "SELECT count(*) FROM avinode_ingest.dead_jobs").await,
            50,
        )
    })
    .await;
    eventually(PATIENCE, "the lines that were left out are counted", async || {
        let said = service.program.said();
        let counted = said.contains("lines like this one in the last 10 s: dead-lettered job");
        equal(counted, true)
    })
    .await;
    drop(load);
    check_warnings(&service.program.said(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_received_again_with_another_body_are_summed_up() {
    const BODIES: i64 = 300;
    let db = Db::new().await;
    let bodies: Vec<Value> = (0..BODIES)
        .map(|n| message("evt-1", "A1B2C3", "asellermsg-1", n))
        .collect();
    store_deliveries(&db.pool, &bodies, base()).await;
    let url = db.url();
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_LOG_FORMAT", "json")]).await;
    let duplicates =
        "SELECT count(*) FROM avinode_ingest.outcomes WHERE detail LIKE 'duplicate of % with another body'";
    eventually(PATIENCE, "the duplicates have their outcome", async || {
        equal(count(&db.pool, duplicates).await, BODIES - 1)
    })
    .await;
    let counted = eventually(PATIENCE, "the summary counts them", async || {
        let said = service.program.said();
        let lines = said.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let counts = lines
            .filter_map(|line| line["other_bodies"].as_i64())
            .filter(|count| *count > 0);
        let counts: Vec<i64> = counts.collect();
        equal(counts.iter().sum::<i64>(), BODIES - 1).map(|()| counts)
    })
    .await;
    let said = service.program.said();
    let lines: Vec<&str> = said.lines().filter(|line| line.contains("another body")).collect();
    assert_eq!(lines.len(), counted.len(), "{lines:#?}");
    assert!(lines.len() < 30, "{lines:#?}");
}
