//! Batches that are resumed through the API.

use std::time::Duration;

use avinode_ingest::admin::batches::work::BatchWork;
use avinode_ingest::admin::batches::{self, NewBatch, StepsBy, ending};
use avinode_ingest::admin::selection::DeliverySelection;
use avinode_ingest::domain::subject::SubjectKind;
use avinode_ingest::queue::job_kind::JobKind;
use avinode_ingest::queue::{claim_by_kind, release};
use serde_json::json;
use uuid::Uuid;

use super::batches::{start, without_ids};
use super::seed;
use crate::api::{ADMIN, Api};
use crate::support::actions::acting;
use crate::support::cluster::Db;
use crate::support::program::run;

/// A replay of the quotes that was interrupted before its first step.
async fn interrupted(api: &Api) -> Uuid {
    let new = NewBatch {
        work: BatchWork::Replay(DeliverySelection {
            kind: Some(SubjectKind::Quote),
            ..DeliverySelection::default()
        }),
        dry_run: false,
        limit: 100,
        acting: acting(),
    };
    let id = batches::begin(&api.db.pool, &new, StepsBy::Caller).await.unwrap();
    ending::interrupt(&api.db.pool, id).await.unwrap();
    id
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_batch_is_resumed_by_a_worker_and_a_finished_one_is_refused() {
    let api = start().await;
    let id = interrupted(&api).await;
    let path = format!("batches/{id}/resume");
    let resumed = api.act(&path, &json!({"note": "the disk is repaired"})).await;
    assert_eq!(
        (resumed.status, &resumed.body["state"]),
        (200, &json!("running")),
        "{resumed:?}"
    );
    let batch = api.ended(&json!(id)).await;
    assert_eq!(
        json!([batch["state"], batch["selected"], batch["changed"]]),
        json!(["finished", 2, 2])
    );
    let entries = api.get("/v1/admin/audit?actor=token:operations").await.body;
    assert_eq!(
        json!([
            entries["data"][0]["action"],
            entries["data"][0]["run"],
            entries["data"][0]["details"]["note"],
            entries["data"][0]["details"]["resumed"],
        ]),
        json!(["replay_deliveries", id, "the disk is repaired", true]),
        "{entries}"
    );
    api.act(&path, &json!({})).await.assert_problem(409, "batch-finished");
    let unknown = format!("batches/{}/resume", Uuid::nil());
    api.act(&unknown, &json!({}))
        .await
        .assert_problem(404, "batch-not-found");
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_with_a_filter_of_another_version_fails_instead_of_selecting_more() {
    let api = start().await;
    let id = interrupted(&api).await;
    api.db
        .run(&format!(
            "UPDATE avinode_ingest.batches SET filter = filter || '{{\"colour\": \"red\"}}' WHERE id = '{id}'"
        ))
        .await;
    let path = format!("batches/{id}/resume");
    api.act(&path, &json!({})).await.assert_problem(409, "batch-unreadable");
    api.db
        .run(&format!(
            "UPDATE avinode_ingest.batches SET state = 'running' WHERE id = '{id}';
             INSERT INTO avinode_ingest.jobs (kind, key) VALUES ('run_batch', '{id}')"
        ))
        .await;
    let batch = api.ended(&json!(id)).await;
    assert_eq!(
        (&batch["state"], &batch["selected"]),
        (&json!("failed"), &json!(0)),
        "{batch}"
    );
    assert!(
        batch["result"]["error"].as_str().unwrap().contains("filter \"colour\""),
        "{batch}"
    );
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_has_one_job_however_often_it_is_resumed_and_is_interrupted_when_that_is_discarded() {
    let db = Db::new().await;
    seed(&db).await;
    let api = Api::with_workers(db, 0).await;
    let id = interrupted(&api).await;
    for _ in 0..3 {
        let resumed = api.act(&format!("batches/{id}/resume"), &json!({})).await;
        assert_eq!(resumed.status, 200, "{resumed:?}");
    }
    let jobs = api.get("/v1/admin/jobs?kind=run_batch").await.body;
    assert_eq!(jobs["data"].as_array().unwrap().len(), 1, "{jobs}");
    let discarded = api
        .act(&format!("jobs/{}/discard", jobs["data"][0]["id"]), &json!({}))
        .await;
    assert_eq!(discarded.status, 200, "{discarded:?}");
    let batch = api.get(&format!("/v1/admin/batches/{id}")).await.body;
    assert_eq!(batch["state"], "interrupted", "{batch}");
    api.service.stop().await;
}

/// Discards the one job `run_batch` that a filter selects, and returns the state of the batch.
async fn state_after_discard(api: &Api, batch: Uuid, filter: &[&str]) -> String {
    let command = [&["jobs", "discard", "--kind", "run_batch", "--yes"], filter].concat();
    let (code, said) = without_ids(&run(&command, &[("DATABASE_URL", api.db.url().as_str())]).await);
    assert_eq!((code, said.contains("1 job")), (Some(0), true), "{said}");
    let batch = api.get(&format!("/v1/admin/batches/{batch}")).await.body;
    batch["state"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_interrupted_when_its_job_is_discarded_with_others() {
    let db = Db::new().await;
    seed(&db).await;
    let api = Api::with_workers(db, 0).await;
    let id = interrupted(&api).await;
    api.act(&format!("batches/{id}/resume"), &json!({})).await;
    assert_eq!(state_after_discard(&api, id, &[]).await, "interrupted");
    api.service.stop().await;
}

/// The state that the API shows of its only batch; the list has it under no other one.
async fn state(api: &Api) -> String {
    let mut listed = Vec::new();
    for state in ["running", "interrupted", "finished", "failed"] {
        let batches = api.get(&format!("/v1/admin/batches?state={state}")).await.body;
        for batch in batches["data"].as_array().unwrap() {
            assert_eq!(batch["state"], state);
            listed.push(state.to_owned());
        }
    }
    assert_eq!(listed.len(), 1, "{listed:?}");
    listed.remove(0)
}

/// Claims the only job `run_batch`, and dead-letters it as after repeated errors of the database. Returns its id.
async fn let_its_job_die(api: &Api) -> i64 {
    let (pool, lease) = (api.db.pool.service(), Duration::from_secs(60));
    let mut claimed = claim_by_kind::claim(&pool, &[(JobKind::RunBatch, 1)], "a worker", lease, false)
        .await
        .unwrap();
    let job = claimed.remove(0);
    assert_eq!(state(api).await, "running", "a worker makes a step");
    assert!(release::dead_letter(&pool, &job, "gave up").await.unwrap());
    job.id
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_job_died_is_interrupted_and_runs_again_when_the_job_is_retried_or_a_command_resumes_it() {
    let db = Db::new().await;
    seed(&db).await;
    let api = Api::with_workers(db, 0).await;
    let begun = api
        .act("batches", &json!({"action": "replay", "deliveries": {"kind": "quote"}}))
        .await;
    assert_eq!(begun.status, 201, "{begun:?}");
    assert_eq!(state(&api).await, "running");
    let job = let_its_job_die(&api).await;
    assert_eq!(state(&api).await, "interrupted");
    let retried = api.act(&format!("jobs/{job}/retry"), &json!({})).await;
    assert_eq!(retried.status, 200, "{retried:?}");
    assert_eq!(state(&api).await, "running");
    let_its_job_die(&api).await;
    let id = begun.body["id"].as_str().unwrap();
    let url = api.db.url();
    let (code, said) = without_ids(&run(&["batches", "resume", id], &[("DATABASE_URL", url.as_str())]).await);
    assert_eq!((code, said.as_str()), (Some(0), "2 deliveries enqueued, of 2 selected"));
    assert_eq!(state(&api).await, "finished");
    api.service.stop().await;
}

/// As a program of before the column `by_worker` begins it.
#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_an_older_program_is_interrupted_when_its_job_is_discarded_after_the_upgrade() {
    const MIGRATION: &str = include_str!("../../../../migrations/202611300903_add_by_worker_to_batches.sql");
    let db = Db::new().await;
    seed(&db).await;
    let api = Api::with_workers(db, 0).await;
    let id = interrupted(&api).await;
    api.act(&format!("batches/{id}/resume"), &json!({})).await;
    api.db
        .run("ALTER TABLE avinode_ingest.batches DROP COLUMN by_worker")
        .await;
    api.db.run(MIGRATION).await;
    assert_eq!(state(&api).await, "running");
    assert_eq!(state_after_discard(&api, id, &[]).await, "interrupted");
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_goes_on_when_an_older_job_of_it_that_died_is_discarded() {
    let db = Db::new().await;
    seed(&db).await;
    let api = Api::with_workers(db, 0).await;
    let id = interrupted(&api).await;
    api.db
        .run(&format!(
            "INSERT INTO avinode_ingest.dead_jobs (id, kind, key, created_at, attempts, crashes, reason, history)
             VALUES (1000000, 'run_batch', '{id}', now(), 25, 0, 'gave up', '{{}}')"
        ))
        .await;
    api.act(&format!("batches/{id}/resume"), &json!({})).await;
    assert_eq!(state_after_discard(&api, id, &["--state", "dead"]).await, "running");
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_resumes_a_batch_through_the_api_as_on_the_database() {
    let mut printed = Vec::new();
    for through_api in [false, true] {
        let api = start().await;
        let (base, url) = (api.service.base.clone(), api.db.url());
        let variables = match through_api {
            true => vec![("INGEST_URL", base.as_str()), ("INGEST_API_TOKEN", ADMIN)],
            false => vec![("DATABASE_URL", url.as_str())],
        };
        let id = interrupted(&api).await.to_string();
        let mut outputs = Vec::new();
        for batch in [&id, &id, &Uuid::nil().to_string()] {
            let (code, said) = without_ids(&run(&["batches", "resume", batch], &variables).await);
            outputs.push((code, said.replace(&id, "ID")));
        }
        printed.push(outputs);
        api.service.stop().await;
    }
    let [stored, served] = &printed[..] else { panic!() };
    assert_eq!(served, stored);
    assert_eq!(stored[0], (Some(0), "2 deliveries enqueued, of 2 selected".to_owned()));
    assert_eq!((stored[1].0, stored[2].0), (Some(1), Some(1)), "{stored:?}");
    assert!(stored[1].1.contains("batch ID is finished"), "{stored:?}");
}
