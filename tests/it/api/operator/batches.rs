//! Batches through the API: workers of the service run them.

use avinode_ingest::admin::batches::work::BatchWork;
use avinode_ingest::admin::batches::{self, NewBatch, StepsBy};
use avinode_ingest::admin::selection::DeliverySelection;
use avinode_ingest::domain::subject::SubjectKind;
use serde_json::{Value, json};
use uuid::Uuid;

use super::seed;
use crate::api::{ADMIN, Api, ApiResponse};
use crate::support::PATIENCE;
use crate::support::actions::acting;
use crate::support::cluster::Db;
use crate::support::eventually::eventually;
use crate::support::program::{ProgramRun, run};
use crate::support::sql::{count, text};

async fn start() -> Api {
    let db = Db::new().await;
    seed(&db).await;
    Api::with_workers(db, 1).await
}

impl Api {
    async fn begin(&self, batch: &Value) -> ApiResponse {
        self.act("batches", batch).await
    }

    /// Waits for the end of a batch.
    async fn ended(&self, id: &Value) -> Value {
        let path = format!("/v1/admin/batches/{}", id.as_str().unwrap());
        eventually(PATIENCE, "the batch has ended", async || {
            let batch = self.get(&path).await.body;
            if batch["state"] == "running" {
                Err(batch)
            } else {
                Ok(batch)
            }
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_run_by_a_worker_and_recorded_with_the_token() {
    let api = start().await;
    let begun = api
        .begin(&json!({"action": "discard", "jobs": {"state": "dead", "reason": "unknown EVENT"}, "note": "of no use"}))
        .await;
    assert_eq!(begun.status, 201, "{begun:?}");
    let id = &begun.body["id"];
    assert_eq!(
        begun.headers["location"],
        format!("/v1/admin/batches/{}", id.as_str().unwrap())
    );
    let batch = api.ended(id).await;
    assert_eq!(
        json!([
            batch["actor"],
            batch["state"],
            batch["selected"],
            batch["changed"],
            batch["note"]
        ]),
        json!(["token:operations", "finished", 1, 1, "of no use"])
    );
    let dead = text(
        &api.db.pool,
        "SELECT string_agg(kind, ' ') FROM avinode_ingest.dead_jobs",
    );
    assert_eq!(dead.await.as_deref(), Some("unknown_format"));
    let audited = "SELECT string_agg(state, ' ' ORDER BY id) FROM avinode_ingest.audit
        WHERE actor = 'token:operations' AND action = 'discard_jobs'";
    assert_eq!(text(&api.db.pool, audited).await.as_deref(), Some("begun finished"));

    let dry = api
        .begin(&json!({"action": "replay", "deliveries": {"kind": "quote"}, "dry_run": true}))
        .await;
    let dry = api.ended(&dry.body["id"]).await;
    assert_eq!(
        json!([dry["dry_run"], dry["selected"], dry["result"]["sessions_changed"]]),
        json!([true, 2, 0])
    );
    let page = api.get("/v1/admin/batches?limit=1&state=finished").await.body;
    assert_eq!(page["data"][0]["id"], dry["id"]);
    let cursor = page["next_cursor"].as_str().unwrap();
    let page = api
        .get(&format!("/v1/admin/batches?limit=1&cursor={cursor}"))
        .await
        .body;
    assert_eq!((&page["data"][0]["id"], &page["next_cursor"]), (id, &Value::Null));
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_without_a_filter_or_with_an_unknown_one_is_refused() {
    let api = start().await;
    for (batch, name) in [
        (json!({"action": "retry", "jobs": {}}), "jobs or deliveries"),
        (json!({"action": "retry"}), "jobs"),
        (json!({"action": "replay", "jobs": {"state": "dead"}}), "jobs"),
        (
            json!({"action": "discard", "deliveries": {"kind": "quote"}}),
            "deliveries",
        ),
        (
            json!({"action": "retry", "jobs": {"state": "dead"}, "force": true}),
            "force",
        ),
        (
            json!({"action": "retry", "jobs": {"outcome": "failed"}}),
            "jobs.outcome",
        ),
        (json!({"action": "retry", "jobs": {"kind": "quote"}}), "jobs.kind"),
        (json!({"action": "purge", "jobs": {"state": "dead"}}), "action"),
        (
            json!({"action": "retry", "jobs": {"state": "dead"}, "limit": 0}),
            "limit",
        ),
        (
            json!({"action": "retry", "jobs": {"state": "dead"}, "note": "\n"}),
            "note",
        ),
    ] {
        let named = api.begin(&batch).await.assert_problem(422, "validation-failed");
        assert_eq!(named, [name], "{batch}");
    }
    assert_eq!(
        count(&api.db.pool, "SELECT count(*) FROM avinode_ingest.batches").await,
        0
    );
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_with_filters_prints_the_same_through_the_api() {
    let mut printed = Vec::new();
    for through_api in [false, true] {
        let api = start().await;
        let (base, url) = (api.service.base.clone(), api.db.url());
        let variables = match through_api {
            true => vec![("INGEST_URL", base.as_str()), ("INGEST_API_TOKEN", ADMIN)],
            false => vec![("DATABASE_URL", url.as_str())],
        };
        let mut outputs = Vec::new();
        for command in [
            "deliveries replay --kind quote --dry-run",
            "jobs retry --state running --yes",
            "jobs discard --dead --yes",
            "batches list",
        ] {
            let words: Vec<&str> = command.split(' ').collect();
            outputs.push(without_ids(&run(&words, &variables).await));
        }
        printed.push(outputs);
        if through_api {
            let refused = run(&["jobs", "discard", "--dead"], &variables).await;
            assert_eq!(refused.code, Some(64), "{}", refused.all());
            assert!(
                refused.stderr.contains("look first with --dry-run"),
                "{}",
                refused.all()
            );
        }
        api.service.stop().await;
    }
    let [stored, served] = &printed[..] else { panic!() };
    assert_eq!(served[..3], stored[..3]);
    assert!(served[2].1.starts_with("2 jobs discarded, of 2 selected"), "{served:?}");
    assert!(
        served[3].1.contains("token:operations") && stored[3].1.contains("cli:"),
        "{printed:?}"
    );
}

/// The exit code, and the output without the line of the batch's id.
fn without_ids(output: &ProgramRun) -> (Option<i32>, String) {
    let lines = output.all();
    let lines: Vec<&str> = lines.lines().filter(|line| !line.starts_with("batch ")).collect();
    (output.code, lines.join("\n"))
}

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
    batches::interrupt(&api.db.pool, id).await.unwrap();
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
