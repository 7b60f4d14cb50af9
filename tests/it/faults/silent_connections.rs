//! A proxy or a firewall that forgets its connections: no bytes arrive on them any more, and neither end is told.

use std::collections::BTreeSet;
use std::time::Duration;

use avinode_ingest::postgres::limits::WORK_STATEMENT;
use avinode_ingest::postgres::pool;
use sqlx::postgres::PgConnectOptions;
use tokio::time::{Instant, timeout};

use super::RECOVERY;
use crate::crash::load::{self, Load, body, client, post};
use crate::crash::program::Serve;
use crate::support::cluster::Db;
use crate::support::eventually::{at_least, equal, eventually};
use crate::support::proxy::Proxy;
use crate::support::sql::count;

const EVENTS: usize = 1800;
const SENDERS: usize = 8;

#[tokio::test(flavor = "multi_thread")]
async fn when_connections_fall_silent_deliveries_are_kept_and_applied_again_within_ten_seconds() {
    let db = Db::new().await;
    let sessions = load::sessions(&db.pool).await;
    let proxy = Proxy::start(&db.options).await;
    let url = proxy.url();
    let service = Serve::start(&[("DATABASE_URL", &url)]).await;
    service.ready().await;
    let load = Load::start(&service.address, EVENTS, SENDERS, sessions);
    for round in 1..=3 {
        load.reach(round * EVENTS / 6).await;
        proxy.swallow();
        let begun = Instant::now();
        let kept = load.acknowledged();
        // More than what was answered before and not read yet.
        eventually(RECOVERY, "deliveries are kept again", async || {
            at_least(load.acknowledged(), EVENTS.min(kept + 2 * SENDERS))
        })
        .await;
        let applied = "SELECT count(*) FROM avinode_ingest.outcomes WHERE finished_at > now() - interval '1 second'";
        let left = RECOVERY.saturating_sub(begun.elapsed());
        eventually(left, "jobs are applied again", async || {
            count(&db.pool, applied).await > 0
        })
        .await;
    }
    load.check(&db.pool).await;
    service.ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_leave_no_server_processes_behind() {
    let db = Db::new().await;
    let proxy = Proxy::start(&db.options).await;
    let url = proxy.url();
    let service = Serve::start(&[("DATABASE_URL", &url)]).await;
    service.ready().await;
    let processes =
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'avinode-ingest'";
    let processes = async || -> BTreeSet<i32> {
        let pids = sqlx::query_scalar(processes).fetch_all(&db.pool).await.unwrap();
        pids.into_iter().collect()
    };
    let mut silent = BTreeSet::new();
    let client = client(&service.address);
    for _ in 0..3 {
        silent.extend(processes().await);
        proxy.swallow();
        eventually(RECOVERY, "deliveries are kept again", async || {
            let answer = post(&client, &service.address, body(0)).await;
            equal(answer.map(|(status, ..)| status), Some(200))
        })
        .await;
        service.ready().await;
    }
    // One of LISTEN for each time, which the driver does not let go of; those of the others were ended.
    eventually(RECOVERY, "the silent ones are ended", async || {
        let left = processes().await.intersection(&silent).count();
        if left <= 3 { Ok(()) } else { Err((left, silent.len())) }
    })
    .await;
}

/// The connection falls silent between two statements: the next one is a SAVEPOINT, as in each transaction that applies quotes.
#[tokio::test(flavor = "multi_thread")]
async fn a_savepoint_on_a_silent_connection_is_given_up_within_ten_seconds() {
    let db = Db::new().await;
    let proxy = Proxy::start(&db.options).await;
    let options: PgConnectOptions = proxy.url().parse().unwrap();
    let pool = pool::pool(options, 1, "given up", Duration::from_secs(10)).statement_limit(WORK_STATEMENT);
    let mut tx = pool.begin().await.unwrap();
    proxy.swallow();
    let savepoint = timeout(RECOVERY, tx.savepoint()).await.expect("within ten seconds");
    let error = savepoint.unwrap_err().to_string();
    assert!(error.contains("did not answer"), "{error}");
}

/// The server waits in the middle of its answer, because nobody reads the rest: it is at work by its state, and its client waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_falls_silent_in_the_middle_of_an_answer_is_given_up_within_ten_seconds() {
    let db = Db::new().await;
    let proxy = Proxy::start(&db.options).await;
    let options: PgConnectOptions = proxy.url().parse().unwrap();
    let pool = pool::pool(options, 1, "given up", Duration::from_secs(10));
    let reading = tokio::spawn(async move {
        let mut tx = pool.begin().await.unwrap();
        let text: Result<String, _> = sqlx::query_scalar("SELECT repeat('x', 20000000) FROM pg_sleep(1)")
            .fetch_one(&mut tx)
            .await;
        text.map(|text| text.len())
    });
    let running = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND state = 'active' AND query LIKE '%pg_sleep(1)' AND pid <> pg_backend_pid()";
    eventually(RECOVERY, "the statement runs", async || {
        count(&db.pool, running).await == 1
    })
    .await;
    proxy.swallow();
    let read = timeout(RECOVERY, reading).await.expect("within ten seconds").unwrap();
    let error = read.unwrap_err().to_string();
    assert!(error.contains("did not answer"), "{error}");
}
