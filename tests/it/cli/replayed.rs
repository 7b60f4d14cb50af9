//! The outcome of a delivery that was replayed.

use crate::support::bodies::{base, quote};
use crate::support::cluster::Db;
use crate::support::deliveries::store_deliveries;
use crate::support::program::run_on;
use crate::support::sessions::SessionBuilder;
use crate::support::worker::run_jobs;

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_without_new_facts_leaves_a_delivery_applied() {
    let db = Db::new().await;
    SessionBuilder::of_trip("A1B2C3").insert(&db.pool).await;
    let body = quote("evt-1", "A1B2C3", "arfq-1", "aquote-1", 10, "9000", "EUR");
    let delivery = store_deliveries(&db.pool, &[body], base()).await[0].to_string();
    run_jobs(&db.pool).await;
    let replay = run_on(&db, &["deliveries", "replay", &delivery]).await;
    assert_eq!(replay.code, Some(0), "{}", replay.all());
    run_jobs(&db.pool).await;

    for (filter, expected) in [
        (&["--quote", "aquote-1"][..], 1),
        (&["--outcome", "applied"], 1),
        (&["--outcome", "applied", "--quote", "aquote-1"], 1),
        (&["--outcome", "nothing"], 0),
        (&["--outcome", "nothing", "--quote", "aquote-1"], 0),
    ] {
        let arguments = [&["deliveries", "list", "--json"], filter].concat();
        let page = run_on(&db, &arguments).await.json();
        let found = page["data"].as_array().unwrap();
        assert_eq!(found.len(), expected, "{filter:?}: {page:#}");
        for row in found {
            assert_eq!(row["outcome"], "applied", "{filter:?}");
            let detail = row["detail"].as_str().unwrap();
            assert!(detail.contains("sessions changed: 1"), "{filter:?}: {detail}");
        }
    }
    let output = run_on(&db, &["trace", &delivery]).await.stdout;
    let of_delivery = format!("cause  {delivery}: applied: job ");
    let cause = output.lines().find(|line| line.starts_with(&of_delivery));
    assert!(
        cause.is_some_and(|cause| cause.contains("; since then nothing: job ") && cause.contains("(event_replay)")),
        "{output}"
    );
}

/// The first job died, the second one was applied, and the third one had no new facts.
#[tokio::test(flavor = "multi_thread")]
async fn jobs_and_deliveries_are_listed_by_the_same_outcome() {
    let db = Db::new().await;
    let body = quote("evt-1", "A1B2C3", "arfq-1", "aquote-1", 10, "9000", "EUR");
    let delivery = store_deliveries(&db.pool, &[body], base()).await[0];
    db.run(&format!(
        "WITH job AS (DELETE FROM avinode_ingest.jobs RETURNING *)
         INSERT INTO avinode_ingest.dead_jobs (id, kind, delivery_id, created_at, died_at, attempts, crashes, reason, history)
         SELECT id, kind, delivery_id, created_at, now(), 1, 0, 'a reason', '{{}}' FROM job;
         INSERT INTO avinode_ingest.outcomes (job_id, kind, delivery_id, created_at, attempts, outcome)
         SELECT coalesce(max(id), 0) + n, 'event_replay', '{delivery}', now(), 1, outcome
         FROM avinode_ingest.dead_jobs, (VALUES (1, 'applied'), (2, 'nothing')) AS later (n, outcome) GROUP BY n, outcome"
    ))
    .await;
    for (outcome, expected) in [("applied", 1), ("nothing", 0), ("dead", 0)] {
        for list in ["deliveries", "jobs"] {
            let page = run_on(&db, &[list, "list", "--json", "--outcome", outcome])
                .await
                .json();
            assert_eq!(
                page["data"].as_array().unwrap().len(),
                expected,
                "{list} {outcome}: {page:#}"
            );
        }
    }
}
