//! The summary, dead letters, fetching and maintenance, and that no answer holds a secret.

use serde_json::{Value, json};

use super::{Seeded, TRIP};
use crate::api::{ADMIN, Api, READ, WRITE};
use crate::support::PATIENCE;
use crate::support::bodies::event;
use crate::support::deliveries::receive;
use crate::support::eventually::eventually;
use crate::support::service::SECRET;
use crate::support::sql::count;

/// The numbers of jobs by kind and state.
fn jobs(summary: &Value) -> Vec<(String, String, i64)> {
    let counts = summary["jobs"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    counts
        .map(|it| (text(&it["kind"]), text(&it["state"]), it["jobs"].as_i64().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_summary_counts_what_the_database_holds() {
    let seeded = Seeded::start().await;
    let summary = seeded.api.get("/v1/admin/summary").await.body;
    let counted = jobs(&summary);
    for (kind, state, jobs) in [
        ("fetch_notified", "available", 1),
        ("full_event", "dead", 1),
        ("unknown_format", "dead", 1),
    ] {
        assert!(
            counted.contains(&(kind.to_owned(), state.to_owned(), jobs)),
            "{kind} {state}: {counted:?}"
        );
    }
    let live = counted.iter().filter(|(_, state, _)| state != "dead");
    let live: i64 = live.map(|(_, _, jobs)| jobs).sum();
    let pool = &seeded.api.db.pool;
    assert_eq!(live, count(pool, "SELECT count(*) FROM avinode_ingest.jobs").await);
    assert_eq!(summary["oldest_due_job"]["kind"], "fetch_notified");
    assert!(summary["oldest_due_job"]["age_seconds"].as_i64().unwrap() < 300);
    assert_eq!(summary["received"]["last_hour"], 7);
    assert_eq!(summary["received"]["is_exact"], true);
    assert!(summary["received"]["last_received_at"].is_string());
    assert_eq!(summary["fetching"]["state"], "unserved");

    sqlx::query("UPDATE avinode_ingest.jobs SET attempts = 2, due_at = due_at + interval '1 day', history = '{first,\"rfqs/arfq-77: timeout after 7 s\"}'")
        .execute(pool)
        .await
        .unwrap();
    let summary = seeded.api.get("/v1/admin/summary").await.body;
    assert!(jobs(&summary).contains(&("fetch_notified".to_owned(), "retryable".to_owned(), 1)));
    let failures = summary["failures"].as_array().unwrap();
    assert!(
        failures.contains(&json!({"kind": "fetch_notified", "reason": "timeout after # s", "jobs": 1})),
        "{failures:?}"
    );
    assert_eq!(summary["oldest_due_job"], Value::Null);
    seeded.api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_grouped_by_kind_and_class_of_reason() {
    let seeded = Seeded::start().await;
    let more = |number: i64| {
        event(
            "TripSomethingNewer",
            &format!("evt-{number}"),
            number,
            json!({"trip": {"id": TRIP}}),
        )
    };
    receive(&seeded.api.db.pool, &[more(50), more(51)]).await;
    let groups = seeded.api.get("/v1/admin/dead-letters").await.body;
    assert_eq!(groups["is_complete"], true);
    let groups = groups["data"].as_array().unwrap();
    assert_eq!(groups.len(), 2, "{groups:?}");
    let largest = &groups[0];
    assert_eq!(
        (&largest["kind"], &largest["jobs"]),
        (&json!("full_event"), &json!(3)),
        "{groups:?}"
    );
    assert!(largest["reason"].as_str().unwrap().starts_with("unknown event kind"));
    assert!(largest["oldest_at"].as_str() < largest["newest_at"].as_str());
    let example = &largest["example_job"];
    let job = seeded.api.get(&format!("/v1/admin/jobs/{example}")).await.body;
    assert_eq!((&job["kind"], &job["state"]), (&json!("full_event"), &json!("dead")));
    seeded.api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leader_of_maintenance_and_its_last_runs_are_shown() {
    let api = Api::with_workers(crate::support::cluster::Db::new().await, 1).await;
    let process = eventually(PATIENCE, "maintenance has run", async || {
        let shown = api.get("/v1/admin/maintenance").await.body;
        let process = shown["leader"]["process"].as_str().map(str::to_owned);
        process.filter(|_| {
            shown["tasks"]
                .as_array()
                .unwrap()
                .iter()
                .any(|run| run["task"] == "archive")
        })
    })
    .await;
    assert!(process.starts_with(&std::process::id().to_string()), "{process}");
    let fetching = api.get("/v1/admin/fetching").await.body;
    assert_eq!(
        (&fetching["state"], &fetching["leader"]),
        (&json!("unserved"), &Value::Null)
    );
    api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_holds_a_secret() {
    let seeded = Seeded::start().await;
    let (status, answer) = seeded.api.service.post(b"{\"event\":\"TripSomethingNew\"}").await;
    assert_eq!(status, 200, "{answer}");
    let received = answer["delivery"].as_str().unwrap().to_owned();
    let password = seeded.api.db.url();
    let secrets = [SECRET, READ, WRITE, ADMIN, "sha256=", "x-avinode-signature", &password];
    let mut paths: Vec<String> = [
        "summary",
        "dead-letters",
        "fetching",
        "maintenance",
        "deliveries",
        "jobs",
        "documents",
    ]
    .map(|path| format!("/v1/admin/{path}"))
    .to_vec();
    paths.extend([
        format!("/v1/admin/deliveries/{received}"),
        format!("/v1/admin/trace/{received}"),
        format!("/v1/admin/trace/{TRIP}"),
        "/v1/admin/jobs/x".to_owned(),
        "/v1/admin/jobs?kind=x".to_owned(),
    ]);
    for path in paths {
        let answer = seeded.api.get(&path).await;
        let text = answer.body.to_string();
        for secret in secrets {
            assert!(!text.contains(secret), "{path}: {secret}: {text}");
        }
    }
    seeded.api.service.stop().await;
}
