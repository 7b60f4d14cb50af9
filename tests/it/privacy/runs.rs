//! A run that ended early is finished by the next one, and a delivery that a job needs is left until the job is done.

use std::cell::Cell;

use super::person::{purge, sum};
use super::story::{PERSON, Story, places_of};
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
        let steps = Cell::new(0);
        let stops = || {
            steps.set(steps.get() + 1);
            steps.get() > allowed
        };
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
             SELECT 'event_replay', id FROM avinode_ingest.deliveries WHERE position('aquote-1' IN encode(body, 'escape')) > 0",
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
