//! Tables that another program holds locked.

use std::time::Duration;

use sqlx::Connection as _;

use super::RECOVERY;
use super::ready::check;
use crate::crash::load::{self, body, client, post};
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::sql::{count, waiting_backends};
use crate::support::throughout::throughout;

/// The receiver's, and the one that finds out whether it is ready.
const CAP: i64 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_table_of_deliveries_is_named_and_collects_no_server_processes() {
    let db = Db::new().await;
    let url = db.url();
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_ROLE", "receive")]).await;
    service.ready().await;
    let mut other = db.pool.connection().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE avinode_ingest.deliveries IN ACCESS EXCLUSIVE MODE")
        .execute(&mut other)
        .await
        .unwrap();
    let client = client(&service.address);
    let sending = {
        let (client, address) = (client.clone(), service.address.clone());
        tokio::spawn(async move {
            let mut refused = 0;
            loop {
                match post(&client, &address, body(0)).await {
                    Some((200, ..)) => return refused,
                    _ => refused += 1,
                }
            }
        })
    };
    eventually(PATIENCE, "the cause is named", async || {
        equal(
            check(&service, "receiving").await,
            (503, "a table is locked".to_owned()),
        )
    })
    .await;
    throughout(Duration::from_secs(22), async || {
        let waiting = waiting_backends(&db.pool).await;
        assert!(waiting <= CAP, "{waiting} server processes wait");
        assert_eq!(service.get("/readyz").await, Some(503));
    })
    .await;
    other.close().await.unwrap();
    eventually(RECOVERY, "ready", async || {
        equal(service.get("/readyz").await, Some(200))
    })
    .await;
    let refused = tokio::time::timeout(RECOVERY, sending).await.unwrap().unwrap();
    assert!(refused >= 3, "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_tables_were_locked_for_long_work_goes_on_within_ten_seconds() {
    let db = Db::new().await;
    load::sessions(&db.pool).await;
    let url = db.url();
    let service = Serve::start(&[("DATABASE_URL", &url)]).await;
    service.ready().await;
    let client = client(&service.address);
    for (number, table) in ["public.chat_sessions", "avinode_ingest.jobs"].into_iter().enumerate() {
        let mut other = db.pool.connection().await;
        if number == 0 {
            let (status, answer, _) = post(&client, &service.address, body(0)).await.unwrap();
            assert_eq!(status, 200, "{answer}");
        }
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!(
            "BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"
        )))
        .execute(&mut other)
        .await
        .unwrap();
        // A worker has one connection and waits on it; so do the receiver, the probes and the leases of processes.
        throughout(Duration::from_secs(20), async || {
            let waiting = waiting_backends(&db.pool).await;
            assert!(waiting <= 16, "{waiting} server processes wait");
        })
        .await;
        other.close().await.unwrap();
        eventually(RECOVERY, "deliveries are kept again", async || {
            let answer = post(&client, &service.address, body(number * 4)).await;
            equal(answer.map(|(status, ..)| status), Some(200))
        })
        .await;
        let counted = i64::try_from(number).unwrap() + 1;
        eventually(RECOVERY, "and applied", async || {
            equal(
                count(&db.pool, "SELECT count(*) FROM avinode_ingest.ledger").await,
                counted,
            )
        })
        .await;
        eventually(RECOVERY, "ready", async || {
            equal(service.get("/readyz").await, Some(200))
        })
        .await;
    }
}
