//! Postgres crashed under load: no acknowledged delivery is lost, what cannot be kept is answered 503, and the same
//! process recovers when Postgres is back.

use std::time::Duration;

use avinode_ingest::cli::replay::wait_idle::wait_until_settled;
use serde_json::Value;
use tokio::time::Instant;

use super::durable::Durable;
use super::load::{self, Load, check_counts, event};
use super::program::Serve;
use super::roles::{lease_holders, lock_sessions};
use crate::support::PATIENCE;
use crate::support::bodies::base;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::eventually;

const EVENTS: usize = 900;
const SENDERS: usize = 16;

/// Waits until the server answers again. The test's own connections have died as well.
async fn recovered(postgres: &Durable) {
    eventually(PATIENCE, "the server has recovered", async || {
        sqlx::query("SELECT").execute(&postgres.pool).await.ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_the_whole_server_loses_no_acknowledged_delivery() {
    let mut postgres = Durable::new().await;
    let sessions = load::sessions(&postgres.pool).await;
    postgres.checkpoint().await;
    let url = postgres.url();
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_LEASE_DURATION", "5s")]).await;
    service.ready().await;
    let load = Load::start(&service.address, EVENTS, SENDERS, sessions);
    for round in 1..=2 {
        load.reach(round * EVENTS / 4).await;
        postgres.kill().await;
        // The second time it is back immediately.
        if round == 1 {
            let (kept, refused, down) = (load.acknowledged(), load.answers(503), Instant::now());
            // More than one answer for each sender: not only what was under way is refused.
            eventually(PATIENCE, "deliveries are refused", async || {
                load.answers(503) > refused + SENDERS
            })
            .await;
            assert!(down.elapsed() < Duration::from_secs(15), "{:?}", down.elapsed());
            // Each may have been answered just before the crash and have read it only now; no more than that.
            assert!(load.acknowledged() <= kept + SENDERS);
            assert_eq!(service.get("/livez").await, Some(200));
            assert_eq!(service.get("/readyz").await, Some(503));
        }
        postgres = postgres.start_again().await;
    }
    load.check(&postgres.pool).await;
    service.ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_of_one_backend_loses_no_acknowledged_delivery() {
    let postgres = Durable::new().await;
    let sessions = load::sessions(&postgres.pool).await;
    postgres.checkpoint().await;
    let url = postgres.url();
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_LEASE_DURATION", "5s")]).await;
    let load = Load::start(&service.address, EVENTS, SENDERS, sessions);
    for round in 1..=3 {
        load.reach(round * EVENTS / 5).await;
        postgres.kill_a_child();
    }
    recovered(&postgres).await;
    load.check(&postgres.pool).await;
    service.ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_claimed_before_a_crash_is_not_left_until_its_lease_runs_out() {
    let mut postgres = Durable::new().await;
    let sessions = load::sessions(&postgres.pool).await;
    let bodies: Vec<Value> = (0..12).map(event).collect();
    store_deliveries(&postgres.pool, &bodies, base()).await;
    postgres.checkpoint().await;
    let _application = lock_sessions(&postgres.pool).await;
    let url = postgres.url();
    // The lease is the default of a minute.
    let mut service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_WORKERS", "1")]).await;
    eventually(PATIENCE, "the worker is at work", async || {
        lease_holders(&postgres.pool).await.pop()
    })
    .await;
    // So that the crash does not take the claim: what is tested is the way back.
    postgres.checkpoint().await;
    postgres.kill().await;
    // Down for longer than the worker waits to say what became of its jobs.
    service.program.line("cannot reach the queue").await;
    postgres = postgres.start_again().await;
    let begun = Instant::now();
    wait_until_settled(&postgres.pool, PATIENCE).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    check_counts(&postgres.pool, &sessions, 12).await;
}
