//! The group commit as senders see it: a single delivery does not wait, many share a commit, and what the database
//! cannot take is refused instead of piled up.

use std::time::Duration;

use avinode_ingest::cli::replay::wait_idle::wait_until_settled;
use futures_util::future::join_all;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use sqlx::Connection;
use tokio::time::Instant;

use super::load::{self, body, check_counts, client, post};
use super::program::Serve;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::sql::count;

#[tokio::test(flavor = "multi_thread")]
async fn a_single_delivery_is_committed_without_delay() {
    let db = Db::new().await;
    let url = db.url();
    // Only received: the workers' transactions are not to be measured.
    let service = Serve::start(&[("DATABASE_URL", &url), ("INGEST_ROLE", "receive")]).await;
    let client = client(&service.address);
    let mut quickest = PATIENCE;
    for number in 0..40 {
        let begun = Instant::now();
        let (status, answer, _) = post(&client, &service.address, body(number)).await.unwrap();
        assert_eq!(status, 200, "{answer}");
        quickest = quickest.min(begun.elapsed());
    }
    // The quickest, because the machine may be busy with others; a timer would be in every one of them.
    assert!(quickest < Duration::from_millis(10), "{quickest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_come_together_share_commits() {
    const TOGETHER: usize = 200;
    let db = Db::new().await;
    let url = db.url();
    let sessions = load::sessions(&db.pool).await;
    let service = Serve::start(&[("DATABASE_URL", &url)]).await;
    service.ready().await;
    let client = client(&service.address);
    let answers = join_all((0..TOGETHER).map(|number| post(&client, &service.address, body(number)))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().0 == 200));
    // Each transaction leaves its own mark on the rows that it wrote.
    let commits = "SELECT count(*), count(DISTINCT xmin::text) FROM avinode_ingest.deliveries";
    let (rows, commits): (i64, i64) = sqlx::query_as(commits).fetch_one(&db.pool).await.unwrap();
    assert_eq!(usize::try_from(rows).unwrap(), TOGETHER);
    assert!(commits <= rows / 3, "{commits} commits for {rows} deliveries");
    wait_until_settled(&db.pool, PATIENCE).await.unwrap();
    check_counts(&db.pool, &sessions, TOGETHER).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn seventy_deliveries_are_summarised_in_one_line_per_second() {
    let db = Db::new().await;
    let url = db.url();
    load::sessions(&db.pool).await;
    let service = Serve::start(&[("DATABASE_URL", &url)]).await;
    service.ready().await;
    let client = client(&service.address);
    let begun = Instant::now();
    let answers = join_all((0..70).map(|number| post(&client, &service.address, body(number)))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap().0 == 200));
    wait_until_settled(&db.pool, PATIENCE).await.unwrap();
    let seconds = begun.elapsed().as_secs();
    let log = service.stop(Signal::SIGTERM, PATIENCE).await;
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let summaries: Vec<&Value> = lines.iter().filter(|line| line["api_writes"].is_u64()).collect();
    // In addition to the whole seconds: the one in which they began, and the summary at the shutdown.
    assert!((1..=seconds + 2).contains(&(summaries.len() as u64)), "{summaries:#?}");
    let total = |field: &str| -> u64 { summaries.iter().map(|line| line[field].as_u64().unwrap()).sum() };
    assert_eq!(total("deliveries"), 70, "{summaries:#?}");
    assert!(
        total("jobs") >= 70,
        "events, and a rematch of each new session: {summaries:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blocked_database_is_answered_503_with_bounded_memory_until_it_is_free_again() {
    const MEGABYTE: u64 = 1024 * 1024;
    let db = Db::new().await;
    let url = db.url();
    let service = Serve::start(&[
        ("DATABASE_URL", &url),
        ("INGEST_RECEIVE_QUEUE_CAPACITY", "4"),
        ("INGEST_MEMORY_BUDGET", "4MiB"),
    ])
    .await;
    service.ready().await;
    let client = client(&service.address);
    let mut blocker = db.pool.connection().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE avinode_ingest.deliveries IN ACCESS EXCLUSIVE MODE")
        .execute(&mut blocker)
        .await
        .unwrap();
    // One delivery waits for the lock, four more for their turn.
    let begun = Instant::now();
    let waiting: Vec<_> = (0..5)
        .map(|number| {
            let (client, address) = (client.clone(), service.address.clone());
            tokio::spawn(async move { post(&client, &address, body(number)).await })
        })
        .collect();
    let ready = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'avinode_ingest.deliveries'::regclass";
    eventually(PATIENCE, "a delivery waits for the lock", async || {
        count(&db.pool, ready).await > 0
    })
    .await;
    // There is no place for further ones (for four at most, if the first ones shared a commit): they are refused immediately.
    let further = (10..30).map(|number| post(&client, &service.address, body(number)));
    let further = further.map(|post| tokio::time::timeout(Duration::from_secs(2), post));
    let further = join_all(further).await;
    let refused_at_once = further.iter().flatten().flatten().filter(|(status, ..)| *status == 503);
    assert!(refused_at_once.count() >= 16, "{further:?}");
    #[cfg(target_os = "linux")]
    let before = service.program.memory("VmRSS");
    let large = serde_json::to_vec(&json!({"event": "Large", "text": "x".repeat(200_000)})).unwrap();
    let mut refused = 0;
    for _ in 0..10 {
        let flood = (0..32).map(|_| post(&client, &service.address, large.clone()));
        // A delivery with a place in the queue waits with the others, and no longer than the refusals take.
        let flood = flood.map(|post| tokio::time::timeout(Duration::from_secs(2), post));
        for answer in join_all(flood).await.into_iter().flatten().flatten() {
            let (status, answer, retry_after) = answer;
            assert_eq!(status, 503, "{answer}");
            assert!(
                retry_after.is_some_and(|seconds| seconds.parse::<u32>().is_ok()),
                "{answer}"
            );
            refused += 1;
        }
        if begun.elapsed() > Duration::from_secs(6) {
            break;
        }
    }
    assert!(refused >= 32, "{refused}");
    assert_eq!(service.get("/livez").await, Some(200));
    #[cfg(target_os = "linux")]
    {
        let grown = service.program.memory("VmHWM").saturating_sub(before);
        assert!(grown < 48 * MEGABYTE, "{} MB", grown / MEGABYTE);
    }

    blocker.close().await.unwrap();
    // Deliveries that waited are stored, or were refused.
    for waiting in waiting {
        let (status, ..) = waiting.await.unwrap().unwrap();
        assert!(matches!(status, 200 | 503), "{status}");
    }
    eventually(PATIENCE, "deliveries are kept again", async || {
        let answer = post(&client, &service.address, body(9)).await;
        equal(answer.map(|(status, ..)| status), Some(200))
    })
    .await;
    service.ready().await;
}
