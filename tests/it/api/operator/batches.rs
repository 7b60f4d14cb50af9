//! Batches through the API: workers of the service run them.

use serde_json::{Value, json};

use super::seed;
use crate::api::{ADMIN, Api, ApiResponse};
use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::eventually;
use crate::support::program::{ProgramRun, run};
use crate::support::sql::{count, text};

pub(super) async fn start() -> Api {
    let db = Db::new().await;
    seed(&db).await;
    Api::with_workers(db, 1).await
}

impl Api {
    async fn begin(&self, batch: &Value) -> ApiResponse {
        self.act("batches", batch).await
    }

    /// Waits for the end of a batch.
    pub(super) async fn ended(&self, id: &Value) -> Value {
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
pub(super) fn without_ids(output: &ProgramRun) -> (Option<i32>, String) {
    let lines = output.all();
    let lines: Vec<&str> = lines.lines().filter(|line| !line.starts_with("batch ")).collect();
    (output.code, lines.join("\n"))
}
