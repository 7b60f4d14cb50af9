//! Messages name the cause.

use std::time::Duration;

use sqlx::ConnectOptions as _;

use super::RECOVERY;
use super::ready::check;
use crate::crash::durable::Durable;
use crate::crash::load::{self, Load, body, client, post};
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::eventually::{at_least, equal, eventually};
use crate::support::sql::count;
use crate::support::throughout::throughout;

pub const END_ALL: &str =
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'avinode-ingest'";

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_a_free_connection_is_named_as_the_cause() {
    let postgres = Durable::new().await;
    load::sessions(&postgres.pool).await;
    let url = postgres.url();
    let service = Serve::start(&[("DATABASE_URL", &url)]).await;
    service.ready().await;
    count(&postgres.pool, "SELECT count(*)").await;
    let mut taken = Vec::new();
    let full = loop {
        match postgres.pool.connect_options().connect().await {
            Ok(connection) => taken.push(connection),
            // The service's own places are taken as well, as they become free.
            Err(error) if count(&postgres.pool, END_ALL).await == 0 => break error,
            Err(_) => {}
        }
    };
    assert!(full.to_string().contains("too many clients"), "{full}");
    let client = client(&service.address);
    let (status, ..) = post(&client, &service.address, body(0)).await.unwrap();
    assert_eq!(status, 503);
    eventually(PATIENCE, "the cause is named", async || {
        equal(
            check(&service, "receiving").await,
            (503, "too many connections".to_owned()),
        )
    })
    .await;
    let said = service.program.said();
    assert!(said.contains("too many clients already (SQLSTATE 53300)"), "{said}");
    assert!(!said.contains("pool timed out"), "{said}");
    drop(taken);
    eventually(RECOVERY, "deliveries are kept", async || {
        let answer = post(&client, &service.address, body(0)).await;
        equal(answer.map(|(status, ..)| status), Some(200))
    })
    .await;
    eventually(RECOVERY, "ready", async || {
        equal(service.get("/readyz").await, Some(200))
    })
    .await;
    eventually(RECOVERY, "jobs are applied", async || {
        count(&postgres.pool, "SELECT count(*) FROM avinode_ingest.ledger").await > 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn server_processes_that_are_ended_in_a_loop_cause_neither_loss_nor_warnings_of_the_server() {
    const EVENTS: usize = 1500;
    const SENDERS: usize = 8;
    let postgres = Durable::new().await;
    let sessions = load::sessions(&postgres.pool).await;
    let url = postgres.url();
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_LOG_LEVEL", "debug")]).await;
    service.ready().await;
    let load = Load::start(&service.address, EVENTS, SENDERS, sessions);
    throughout(Duration::from_secs(6), async || {
        count(&postgres.pool, END_ALL).await;
    })
    .await;
    let kept = load.acknowledged();
    eventually(RECOVERY, "deliveries are kept again", async || {
        at_least(load.acknowledged(), EVENTS.min(kept + 2 * SENDERS))
    })
    .await;
    load.check(&postgres.pool).await;
    eventually(RECOVERY, "ready", async || {
        equal(service.get("/readyz").await, Some(200))
    })
    .await;
    let said = service.program.said();
    assert!(!said.contains("no transaction in progress"), "the server warned");
}
