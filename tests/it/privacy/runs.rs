//! A run that ended early is finished by the next one, and a delivery that a job needs is left until the job is done.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use avinode_ingest::service::ServiceSettings;

use super::person::{purge, sum};
use super::story::{PERSON, Story, places_of};
use crate::support::PATIENCE;
use crate::support::bodies::{base, quote_of};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::eventually::{equal, eventually};
use crate::support::service::RunningService;
use crate::support::sessions::{SessionBuilder, quote_count};
use crate::support::snapshot::assert_same;
use crate::support::sql::{count, text};
use crate::support::worker::run_jobs;

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_are_interrupted_after_each_step_redact_the_same() {
    let story = Story::told().await;
    let pool = &story.db.pool;
    let before = story.kept().await;
    let counted = purge(true).run(pool, || false).await.unwrap();
    let mut total = None;
    for allowed in 1.. {
        let steps = AtomicUsize::new(0);
        let stops = || steps.fetch_add(1, Ordering::SeqCst) >= allowed;
        let report = purge(false).run(pool, stops).await.unwrap();
        let is_done = !report.is_stopped;
        let state = "SELECT state FROM avinode_ingest.audit ORDER BY id DESC LIMIT 1";
        let expected = if is_done { "finished" } else { "interrupted" };
        assert_eq!(text(pool, state).await.as_deref(), Some(expected));
        total = Some(match total {
            None => report,
            Some(total) => sum(total, &report),
        });
        if is_done {
            assert!(allowed > 10, "{allowed}");
            break;
        }
    }
    assert_eq!(total.unwrap().rows, counted.rows);
    assert_eq!(places_of(pool, "avinode_ingest", PERSON).await, Vec::<String>::new());
    assert_same(&before, &story.kept().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_a_job_needs_is_left_and_named_until_the_job_is_done() {
    let story = Story::told().await;
    let pool = &story.db.pool;
    story
        .db
        .run(
            "INSERT INTO avinode_ingest.jobs (kind, delivery_id)
             SELECT 'event_replay', id FROM avinode_ingest.deliveries WHERE position('\"evt-1\"' IN encode(body, 'escape')) > 0",
        )
        .await;
    for dry_run in [true, false] {
        let report = purge(dry_run).run(pool, || false).await.unwrap();
        assert_eq!(report.needed, 1);
        assert!(report.is_unfinished());
    }
    assert_eq!(places_of(pool, "avinode_ingest", PERSON).await, ["deliveries.body"]);
    run_jobs(pool).await;
    let report = purge(false).run(pool, || false).await.unwrap();
    assert!(!report.is_unfinished());
    assert_eq!(report.rows["deliveries"], 1);
    assert_eq!(places_of(pool, "avinode_ingest", PERSON).await, Vec::<String>::new());
    let all = "SELECT count(*) FROM avinode_ingest.audit WHERE state <> 'begun'";
    assert_eq!(count(pool, all).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_are_received_and_applied_while_a_run_goes_on() {
    const STORED: usize = 3_000;
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let stored: Vec<_> = (0..STORED)
        .map(|number| {
            let mut body = quote_of("Q7Q7Q7", &format!("aquote-old-{number}"), 0);
            body["data"]["seller"]["name"] = serde_json::json!(PERSON);
            body
        })
        .collect();
    store_deliveries(&db.pool, &stored, base()).await;
    db.run("DELETE FROM avinode_ingest.jobs").await;
    let service = RunningService::start(&db.pool, ServiceSettings::default()).await;
    let (pool, began) = (db.pool.service(), Instant::now());
    let running = tokio::spawn(async move { purge(false).run(&pool, || false).await });
    let (mut sent, mut slowest) = (0, Duration::ZERO);
    while !running.is_finished() || sent == 0 {
        let body = serde_json::to_vec(&quote_of("A1B2C3", &format!("aquote-{sent}"), 1)).unwrap();
        let asked = Instant::now();
        assert_eq!(service.post(&body).await.0, 200);
        sent += 1;
        eventually(PATIENCE, "the quote is counted", async || {
            equal(quote_count(&db.pool, session).await, sent)
        })
        .await;
        slowest = slowest.max(asked.elapsed());
    }
    let redacted = running.await.unwrap().unwrap().rows["deliveries"];
    println!(
        "{redacted} deliveries redacted in {:?}; meanwhile {sent} were received and applied, the slowest in {slowest:?}",
        began.elapsed()
    );
    assert_eq!(redacted, STORED as u64);
    assert!(
        sent > 3 && slowest < Duration::from_secs(3),
        "{sent} in at most {slowest:?}"
    );
    service.stop().await;
}
