//! Deliveries that are answered 503: one process sends for all, also while the database is away.

use std::str::FromStr;
use std::time::Duration;

use serde_json::Value;
use sqlx::Connection as _;
use sqlx::postgres::PgConnectOptions;

use super::{service, settings};
use crate::support::PATIENCE;
use crate::support::alert_receiver::AlertReceiver;
use crate::support::bodies::quote_of;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::pool::Pool;
use crate::support::proxy::Proxy;
use crate::support::service::RunningService;
use crate::support::throughout::throughout;

const REFUSED: &str = "answered 503";

fn body() -> Vec<u8> {
    serde_json::to_vec(&quote_of("atrip-1", "aquote-1", 0)).unwrap()
}

/// The stored state of alerts.
async fn state(pool: &Pool) -> Value {
    let state = "SELECT coalesce((SELECT status FROM avinode_ingest.leader_leases WHERE name = 'alerts'), 'null')";
    sqlx::query_scalar(state).fetch_one(pool).await.unwrap()
}

/// The number at the beginning of an alert's text.
fn named(text: &str) -> u64 {
    let words = text.strip_prefix("avinode-ingest: ").unwrap();
    words.split(' ').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_processes_one_sends_for_all_and_counts_what_it_did_not_send() {
    let (db, receiver) = (Db::new().await, AlertReceiver::start().await);
    let one = RunningService::start(&db.pool, service(settings(&receiver))).await;
    let other = RunningService::start(&db.pool, service(settings(&receiver))).await;
    eventually(PATIENCE, "one of them leads", async || {
        state(&db.pool).await["version"].as_u64()
    })
    .await;
    let mut lock = db.pool.connection().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE avinode_ingest.jobs IN EXCLUSIVE MODE")
        .execute(&mut lock)
        .await
        .unwrap();
    let body = body();
    let (first, second) = tokio::join!(one.post(&body), other.post(&body));
    assert_eq!((first.0, second.0), (503, 503));
    lock.close().await.unwrap();
    eventually(
        PATIENCE,
        "both refusals are counted, and one alert was sent",
        async || {
            let alerts = receiver.with(REFUSED);
            let sent: u64 = alerts.iter().map(|alert| named(&alert.text)).sum();
            let unreported = state(&db.pool).await["refused"]["unreported"]
                .as_u64()
                .unwrap_or_default();
            equal((alerts.len(), sent + unreported), (1, 2))
        },
    )
    .await;
    throughout(Duration::from_secs(1), async || {
        assert_eq!(receiver.alerts().len(), 1);
    })
    .await;
    one.stop().await;
    other.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_away_the_last_leader_sends_and_writes_it_afterwards() {
    let (db, receiver) = (Db::new().await, AlertReceiver::start().await);
    let proxy = Proxy::start(&db.options).await;
    let behind = Pool::new(PgConnectOptions::from_str(&proxy.url()).unwrap(), 12);
    let running = RunningService::start(&behind, service(settings(&receiver))).await;
    eventually(PATIENCE, "it leads", async || state(&db.pool).await["version"].as_u64()).await;
    proxy.refuse(true);
    proxy.cut();
    assert_eq!(running.post(&body()).await.0, 503);
    eventually(PATIENCE, "the alert comes", async || {
        equal(receiver.with("1 delivery was answered 503").len(), 1)
    })
    .await;
    assert_eq!(state(&db.pool).await["last"]["deliveries_refused"], Value::Null);
    proxy.refuse(false);
    eventually(PATIENCE, "it is written", async || {
        let state = state(&db.pool).await;
        state["last"]["deliveries_refused"].as_str().map(str::to_owned)
    })
    .await;
    assert_eq!(receiver.alerts().len(), 1);
    running.stop().await;
}
