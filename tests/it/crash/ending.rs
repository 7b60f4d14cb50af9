//! The end in order: a signal, not ready, no new connections, what is in flight answered, leases given back, code 0.

use std::time::Duration;

use avinode_ingest::clock::Clock;
use nix::sys::signal::Signal;
use serde_json::Value;
use sqlx::Connection;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::load::{self, body, client, event, post};
use super::program::Serve;
use super::roles::lock_sessions;
use crate::support::PATIENCE;
use crate::support::bodies::base;
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::{at_least, eventually};
use crate::support::service::signer;
use crate::support::sql::count;

/// A delivery's head, signed, which keeps its connection only if it is asked to.
fn head(address: &str, body: &[u8]) -> String {
    let mut head = format!(
        "POST /webhooks/avinode HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n",
        body.len()
    );
    for (name, value) in signer().sign("msg_test", body, Clock::System.now()) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head + "\r\n"
}

/// Connects and sends these bytes.
async fn begin(address: &str, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Reads until the other side closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer))
        .await
        .unwrap()
        .unwrap();
    String::from_utf8(answer).unwrap()
}

async fn refuses(address: &str) {
    eventually(PATIENCE, "new connections are refused", async || {
        TcpStream::connect(address).await.err()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_the_service_after_requests_in_flight_are_answered() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let db = Db::new().await;
        let sessions = load::sessions(&db.pool).await;
        let url = db.url();
        let mut service = Serve::start(&[("DATABASE_URL", &url)]).await;
        service.ready().await;
        // An incomplete body, an incomplete head, and an idle connection.
        let delivery = body(0);
        let mut posting = begin(&service.address, head(&service.address, &delivery).as_bytes()).await;
        posting.write_all(&delivery[..20]).await.unwrap();
        let mut asking = begin(&service.address, b"GET /readyz HTTP/1.1\r\nHost: x\r\n").await;
        let mut idle = begin(&service.address, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n").await;
        assert!(idle.read(&mut [0; 1024]).await.unwrap() > 0);
        // The service reads what was sent before: this answer comes after it.
        assert_eq!(service.get("/livez").await, Some(200));

        service.program.signal(signal);
        refuses(&service.address).await;
        assert_eq!(rest(&mut idle).await, "");
        asking.write_all(b"\r\n").await.unwrap();
        let answer = rest(&mut asking).await;
        assert!(
            answer.starts_with("HTTP/1.1 503") && answer.contains("draining"),
            "{answer}"
        );
        posting.write_all(&delivery[20..]).await.unwrap();
        let answer = rest(&mut posting).await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.contains("delivery"),
            "{answer}"
        );

        let begun = Instant::now();
        let status = service.program.ended(PATIENCE).await;
        assert_eq!(status.code(), Some(0), "{}", service.program.said());
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        let said = service.program.line("\"shut down: ").await;
        assert!(
            said.contains("\"cut_off\":0") && said.contains("\"stopped\":0"),
            "{said}"
        );
        let kept = "SELECT count(*) FROM avinode_ingest.deliveries";
        let kept = count(&db.pool, kept).await;
        assert_eq!(kept, 1);
        drop(sessions);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_releases_leases_immediately_and_costs_no_attempt() {
    let db = Db::new().await;
    load::sessions(&db.pool).await;
    let url = db.url();
    let settings = [("DATABASE_URL", url.as_str()), ("INGEST_SHUTDOWN_TIMEOUT", "1s")];
    let bodies: Vec<Value> = (0..24).map(event).collect();
    store_deliveries(&db.pool, &bodies, base()).await;
    let application = lock_sessions(&db.pool).await;
    let service = Serve::start(&settings).await;
    // Not only claimed: a claim that ends after the signal is released before it is served.
    eventually(PATIENCE, "a worker waits for a session", async || {
        let waiting = "SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND pid IN (SELECT pid FROM pg_locks WHERE NOT granted)";
        at_least(count(&db.pool, waiting).await, 1)
    })
    .await;
    let said = service.stop(Signal::SIGTERM, Duration::from_secs(10)).await;
    // The batch was cut short: it is done job by job, and each waits for its lock for a while.
    assert!(!said.contains("\"stopped\":0"), "{said}");
    let jobs = "SELECT count(*), count(*) FILTER (
            WHERE lease_token IS NULL AND leased_by IS NULL AND attempts = 0
                -- What met the application's lock waits a twentieth of its age before it is tried again.
                AND due_at <= clock_timestamp() + interval '200 milliseconds'
        ) FROM avinode_ingest.jobs WHERE kind = 'full_event'";
    let (all, available): (i64, i64) = sqlx::query_as(jobs).fetch_one(&db.pool).await.unwrap();
    assert_eq!((all, available), (24, 24));
    application.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_never_ends_is_cut_off_within_the_limit() {
    let db = Db::new().await;
    let url = db.url();
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_SHUTDOWN_TIMEOUT", "1s")]).await;
    let _posting = begin(&service.address, head(&service.address, &body(0)).as_bytes()).await;
    assert_eq!(service.get("/livez").await, Some(200));
    let said = service.stop(Signal::SIGTERM, Duration::from_secs(6)).await;
    assert!(said.contains("\"cut_off\":1"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_does_not_answer_does_not_delay_the_shutdown() {
    let db = Db::new().await;
    let url = db.url();
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_SHUTDOWN_TIMEOUT", "1s")]).await;
    service.ready().await;
    let mut blocker = db.pool.connection().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE avinode_ingest.jobs IN ACCESS EXCLUSIVE MODE")
        .execute(&mut blocker)
        .await
        .unwrap();
    let (client, address) = (client(&service.address), service.address.clone());
    let waiting = tokio::spawn(async move { post(&client, &address, body(0)).await });
    eventually(PATIENCE, "the delivery waits for the database", async || {
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted";
        let waiting = count(&db.pool, waiting).await;
        waiting > 0
    })
    .await;
    service.stop(Signal::SIGTERM, Duration::from_secs(15)).await;
    // No answer said that the delivery is stored.
    assert_ne!(waiting.await.unwrap().map(|(status, ..)| status), Some(200));
    blocker.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_the_service_immediately() {
    for (first, second) in [(Signal::SIGTERM, Signal::SIGTERM), (Signal::SIGINT, Signal::SIGINT)] {
        let db = Db::new().await;
        let url = db.url();
        let mut service = Serve::start(&[("DATABASE_URL", &url)]).await;
        let _posting = begin(&service.address, head(&service.address, &body(0)).as_bytes()).await;
        assert_eq!(service.get("/livez").await, Some(200));
        service.program.signal(first);
        refuses(&service.address).await;
        service.program.signal(second);
        let status = service.program.ended(Duration::from_secs(3)).await;
        assert_eq!(status.code(), Some(130), "{}", service.program.said());
    }
}
