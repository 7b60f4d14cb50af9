//! Batches of real processes: killed, resumed, interrupted, and run by two of them.

use std::time::Duration;

use nix::sys::signal::Signal;
use uuid::Uuid;

use super::store_without_jobs;
use crate::crash::program::Program;
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{at_least, eventually};
use crate::support::program::run_on;
use crate::support::sql::{count, until_a_backend_waits};

const REPLAY: &str = "deliveries replay --since 1d --limit 100000 --yes";
const DELIVERIES: i64 = 8_000;

/// Selected, changed, skipped and failed rows, and the state.
async fn record(db: &Db) -> (i64, i64, i64, i64, String) {
    sqlx::query_as("SELECT selected, changed, skipped, failed, state FROM avinode_ingest.batches")
        .fetch_one(&db.pool)
        .await
        .unwrap()
}

async fn batch_id(db: &Db) -> Uuid {
    sqlx::query_scalar("SELECT id FROM avinode_ingest.batches")
        .fetch_one(&db.pool)
        .await
        .unwrap()
}

async fn selected(db: &Db) -> i64 {
    count(
        &db.pool,
        "SELECT coalesce(sum(selected), 0)::bigint FROM avinode_ingest.batches",
    )
    .await
}

/// Each delivery has exactly one job, and the record counts them.
async fn assert_exact(db: &Db) {
    assert_eq!(record(db).await, (DELIVERIES, DELIVERIES, 0, 0, "finished".to_owned()));
    assert_eq!(
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.jobs").await,
        DELIVERIES
    );
    let deliveries = "SELECT count(DISTINCT delivery_id) FROM avinode_ingest.jobs WHERE kind = 'event_replay'";
    assert_eq!(count(&db.pool, deliveries).await, DELIVERIES);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_process_is_killed_in_a_step_is_resumed_without_a_repeated_or_lost_row() {
    let db = Db::new().await;
    store_without_jobs(&db, usize::try_from(DELIVERIES).unwrap()).await;
    let url = db.url();
    let variables = [("DATABASE_URL", url.as_str())];
    let mut arguments = REPLAY.to_owned();
    for round in 1..=3 {
        let before = selected(&db).await;
        let process = Program::start(&arguments, &variables);
        eventually(PATIENCE, "a step is done", async || {
            at_least(selected(&db).await, before + 1)
        })
        .await;
        // The next step waits in the middle of its changes.
        let mut lock = db.pool.application().await;
        sqlx::query("LOCK TABLE avinode_ingest.jobs IN SHARE MODE")
            .execute(&mut *lock)
            .await
            .unwrap();
        until_a_backend_waits(&db.pool).await;
        process.kill().await;
        lock.rollback().await.unwrap();
        eventually(PATIENCE, "the transaction of the killed process has ended", async || {
            count(
                &db.pool,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name <> 'test'",
            )
            .await
                == 0
        })
        .await;
        let (selected, changed, _, _, state) = record(&db).await;
        let jobs = count(&db.pool, "SELECT count(*) FROM avinode_ingest.jobs").await;
        assert_eq!(
            (selected, changed, state.as_str()),
            (jobs, jobs, "running"),
            "round {round}"
        );
        assert!(jobs < DELIVERIES, "round {round}: it was killed before its end");
        arguments = format!("batches resume {}", batch_id(&db).await);
    }
    // Received after the batch began: not selected.
    let late = crate::support::bodies::quote_of("late", "aquote-late", 1);
    crate::support::deliveries::store_deliveries(&db.pool, &[late], crate::support::bodies::base()).await;
    db.run("DELETE FROM avinode_ingest.jobs WHERE kind = 'full_event'")
        .await;
    let words: Vec<&str> = arguments.split(' ').collect();
    let ended = run_on(&db, &words).await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert_exact(&db).await;
    let again = run_on(&db, &words).await;
    assert_eq!(again.code, Some(1), "{}", again.all());
    assert!(again.stderr.contains("is finished"), "{}", again.all());
    assert_exact(&db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_run_one_batch_change_no_row_twice() {
    let db = Db::new().await;
    store_without_jobs(&db, usize::try_from(DELIVERIES).unwrap()).await;
    let url = db.url();
    let variables = [("DATABASE_URL", url.as_str())];
    let mut first = Program::start(REPLAY, &variables);
    eventually(PATIENCE, "the batch has begun", async || {
        count(&db.pool, "SELECT count(*) FROM avinode_ingest.batches").await == 1
    })
    .await;
    let resume = format!("batches resume {}", batch_id(&db).await);
    let mut others = [Program::start(&resume, &variables), Program::start(&resume, &variables)];
    assert!(first.ended(PATIENCE).await.success(), "{}", first.said());
    for other in &mut others {
        // A process that started late gets the error that the batch is finished.
        other.ended(PATIENCE).await;
    }
    assert_exact(&db).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ctrl_c_leaves_a_batch_that_can_be_resumed() {
    let db = Db::new().await;
    store_without_jobs(&db, usize::try_from(DELIVERIES).unwrap()).await;
    let url = db.url();
    let mut process = Program::start(REPLAY, &[("DATABASE_URL", url.as_str())]);
    eventually(PATIENCE, "a step is done", async || at_least(selected(&db).await, 1)).await;
    process.signal(Signal::SIGINT);
    let status = process.ended(Duration::from_secs(30)).await;
    assert_eq!(status.code(), Some(130), "{}", process.said());
    let (done, _, _, _, state) = record(&db).await;
    assert!(done < DELIVERIES, "{done}");
    assert_eq!(state, "interrupted");
    let resume = format!("batches resume {}", batch_id(&db).await);
    assert!(process.said().contains(&resume), "{}", process.said());
    let ended = run_on(&db, &resume.split(' ').collect::<Vec<_>>()).await;
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    assert_exact(&db).await;
    let states: Vec<String> = sqlx::query_scalar("SELECT state FROM avinode_ingest.audit ORDER BY id")
        .fetch_all(&db.pool)
        .await
        .unwrap();
    assert_eq!(states, ["begun", "interrupted", "begun", "finished"]);
}
