//! Receiver and worker as two processes on one database, and a worker's leases after its death.

use std::time::Duration;

use avinode_ingest::cli::replay::wait_idle::wait_until_settled;
use nix::sys::signal::Signal;
use sqlx::{Connection, PgConnection};
use tokio::time::Instant;

use super::load::{self, body, check_counts, client, post};
use super::program::Serve;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::eventually;
use crate::support::pool::Pool;
use crate::support::sql::count;
use crate::support::throughout::throughout;

async fn serve(url: &str, role: &str) -> Serve {
    Serve::start(&[
        ("DATABASE_URL", url),
        ("INGEST_ROLE", role),
        ("INGEST_LEASE_DURATION", "5s"),
        ("INGEST_POLL_INTERVAL", "200ms"),
    ])
    .await
}

/// Sends these events and expects 200.
async fn deliver(service: &Serve, numbers: std::ops::Range<usize>) {
    let client = client(&service.address);
    for number in numbers {
        let (status, answer, _) = post(&client, &service.address, body(number)).await.unwrap();
        assert_eq!(status, 200, "{answer}");
    }
}

/// The holders of leases, each once.
pub async fn lease_holders(pool: &Pool) -> Vec<String> {
    let holders = "SELECT DISTINCT leased_by FROM avinode_ingest.jobs WHERE lease_token IS NOT NULL ORDER BY 1";
    sqlx::query_scalar(holders).fetch_all(pool).await.unwrap()
}

/// An application that holds all sessions locked until it is closed.
pub async fn lock_sessions(pool: &Pool) -> PgConnection {
    let mut application = pool.connection().await;
    sqlx::raw_sql("BEGIN; SELECT FROM public.chat_sessions FOR UPDATE")
        .execute(&mut application)
        .await
        .unwrap();
    application
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_runs_no_job_and_a_worker_runs_them_within_about_its_poll_interval() {
    let db = Db::new().await;
    let sessions = load::sessions(&db.pool).await;
    let receiver = serve(&db.url(), "receive").await;
    receiver.ready().await;
    deliver(&receiver, 0..8).await;
    // Longer than the workers' poll interval: a worker would have come by.
    throughout(Duration::from_millis(600), async || {
        assert_eq!(lease_holders(&db.pool).await, Vec::<String>::new());
        let waiting = "SELECT count(*) FROM avinode_ingest.jobs WHERE kind = 'full_event' AND attempts = 0";
        assert_eq!(count(&db.pool, waiting).await, 8);
    })
    .await;

    let worker = serve(&db.url(), "work").await;
    worker.ready().await;
    wait_until_settled(&db.pool, PATIENCE).await.unwrap();
    check_counts(&db.pool, &sessions, 8).await;
    let begun = Instant::now();
    deliver(&receiver, 8..9).await;
    wait_until_settled(&db.pool, PATIENCE).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    check_counts(&db.pool, &sessions, 9).await;

    for service in [&receiver, &worker] {
        assert_eq!(service.get("/livez").await, Some(200));
        assert_eq!(service.get("/readyz").await, Some(200));
    }
    assert_eq!(receiver.get("/webhooks/avinode").await, Some(405));
    assert_eq!(worker.get("/webhooks/avinode").await, Some(404));
    receiver.stop(Signal::SIGTERM, PATIENCE).await;
    worker.stop(Signal::SIGTERM, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_process_needs_no_secret() {
    let db = Db::new().await;
    let url = db.url();
    let worker = Serve::start(&[
        ("DATABASE_URL", &url),
        ("INGEST_ROLE", "work"),
        ("AVINODE_WEBHOOK_SECRET", ""),
    ])
    .await;
    worker.ready().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_of_a_killed_worker_are_taken_over_within_ten_seconds() {
    let db = Db::new().await;
    let url = db.url();
    let sessions = load::sessions(&db.pool).await;
    // With the default lease of a minute.
    let receiver = Serve::start(&[("DATABASE_URL", &url), ("INGEST_ROLE", "receive")]).await;
    let worker = [("DATABASE_URL", &*url), ("INGEST_ROLE", "work")];
    let application = lock_sessions(&db.pool).await;
    let first = Serve::start(&worker).await;
    deliver(&receiver, 0..6).await;
    let dead = eventually(PATIENCE, "the first worker holds leases", async || {
        lease_holders(&db.pool).await.pop()
    })
    .await;
    first.program.kill().await;
    let killed = Instant::now();
    application.close().await.unwrap();
    let left = lease_holders(&db.pool).await;
    assert!(
        !left.is_empty() && left.iter().all(|holder| holder[..8] == dead[..8]),
        "{left:?}"
    );

    let second = Serve::start(&worker).await;
    wait_until_settled(&db.pool, PATIENCE).await.unwrap();
    assert!(killed.elapsed() < Duration::from_secs(10), "{:?}", killed.elapsed());
    check_counts(&db.pool, &sessions, 6).await;
    // Taken over is not failed: one death of a worker kills no job.
    let most = "SELECT max(attempts) FROM avinode_ingest.outcomes";
    let most: i32 = sqlx::query_scalar(most).fetch_one(&db.pool).await.unwrap();
    assert!(most >= 2, "{most}");
    second.stop(Signal::SIGTERM, PATIENCE).await;
    let leases = "SELECT count(*) FROM avinode_ingest.leader_leases WHERE starts_with(name, 'process/')";
    assert_eq!(count(&db.pool, leases).await, 0, "an orderly end leaves no lease");
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_takes_longer_than_its_lease_is_done_once_and_by_one_worker() {
    let db = Db::new().await;
    let sessions = load::sessions(&db.pool).await;
    // For example a trigger of the application's, or a disk that has stalled.
    db.run(
        "CREATE FUNCTION public.take_long() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN PERFORM pg_sleep(7); RETURN new; END $$;
         CREATE TRIGGER take_long BEFORE UPDATE ON public.chat_sessions FOR EACH ROW
         WHEN (new.quotes_received_count <> old.quotes_received_count) EXECUTE FUNCTION public.take_long()",
    )
    .await;
    let service = serve(&db.url(), "both").await;
    let other = serve(&db.url(), "work").await;
    deliver(&service, 0..1).await;
    wait_until_settled(&db.pool, PATIENCE).await.unwrap();
    check_counts(&db.pool, &sessions, 1).await;
    let attempts: Vec<i32> =
        sqlx::query_scalar("SELECT attempts FROM avinode_ingest.outcomes WHERE kind = 'full_event'")
            .fetch_all(&db.pool)
            .await
            .unwrap();
    assert_eq!(attempts, [1]);
    for service in [service, other] {
        assert_eq!(service.get("/readyz").await, Some(200));
        service.stop(Signal::SIGTERM, PATIENCE).await;
    }
}
