//! Retry, discard and replay: through the API, and by the commands on the database, the same rows are changed.

use serde_json::{Value, json};

use super::{Seeded, ids};
use crate::api::{ADMIN, Api, ApiResponse, WRITE, send};
use crate::support::program::run;
use crate::support::sql::{count, text};

/// The jobs, dead jobs and outcomes, without what differs in each database: ids of deliveries and times.
const STATE: &str = "SELECT concat(
    (SELECT string_agg(concat_ws(' ', id, kind, attempts, due_at <= clock_timestamp(), history), ', ' ORDER BY id) FROM avinode_ingest.jobs),
    ' dead: ',
    (SELECT string_agg(concat_ws(' ', id, kind, reason), ', ' ORDER BY id) FROM avinode_ingest.dead_jobs),
    ' outcomes: ',
    (SELECT string_agg(concat_ws(' ', job_id, kind, outcome), ', ' ORDER BY job_id) FROM avinode_ingest.outcomes))";

impl Api {
    pub(super) async fn act(&self, path: &str, body: &Value) -> ApiResponse {
        let request = self
            .request(reqwest::Method::POST, &format!("/v1/admin/{path}"))
            .bearer_auth(ADMIN);
        send(
            request
                .header("content-type", "application/json")
                .body(body.to_string()),
        )
        .await
    }
}

/// The ids of the dead jobs, and of the waiting one.
async fn jobs(seeded: &Seeded) -> (Vec<String>, String) {
    let dead = ids(&seeded.api.get("/v1/admin/jobs?state=dead").await.body);
    let waiting = ids(&seeded.api.get("/v1/admin/jobs?kind=fetch_notified").await.body);
    (dead, waiting[0].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_over_the_api_change_the_rows_that_the_commands_change_on_the_database() {
    let mut states = Vec::new();
    for through_api in [false, true] {
        let seeded = Seeded::start().await;
        let (dead, waiting) = jobs(&seeded).await;
        let (base, url) = (seeded.api.service.base.clone(), seeded.api.db.url());
        let variables = match through_api {
            true => vec![("INGEST_URL", base.as_str()), ("INGEST_API_TOKEN", ADMIN)],
            false => vec![("DATABASE_URL", url.as_str())],
        };
        let mut printed = Vec::new();
        for arguments in [
            vec!["jobs", "retry", &dead[0]],
            vec!["jobs", "retry", &dead[0], "4711", "--json"],
            vec!["jobs", "discard", &dead[1], &waiting],
            vec!["jobs", "discard", &dead[1]],
        ] {
            let output = run(&arguments, &variables).await;
            printed.push((output.code, output.stdout, output.stderr));
        }
        let deliveries: Vec<&str> = seeded.deliveries.iter().map(String::as_str).collect();
        for arguments in [
            vec!["deliveries", "replay", deliveries[0], deliveries[2]],
            vec!["deliveries", "replay", "00000000-0000-0000-0000-000000000007"],
        ] {
            let output = run(&arguments, &variables).await;
            printed.push((output.code, output.stdout, output.stderr));
        }
        let codes: Vec<_> = printed.iter().map(|(code, ..)| code.unwrap()).collect();
        assert_eq!(codes, [0, 1, 0, 1, 0, 1], "{printed:?}");
        let actors = text(
            &seeded.api.db.pool,
            "SELECT string_agg(DISTINCT split_part(actor, ':', 1), ' ') FROM avinode_ingest.audit",
        );
        assert_eq!(actors.await.as_deref(), Some(if through_api { "token" } else { "cli" }));
        let actions = "SELECT string_agg(DISTINCT action, ' ' ORDER BY action) FROM avinode_ingest.audit";
        let actions = text(&seeded.api.db.pool, actions).await;
        assert_eq!(actions.as_deref(), Some("discard_jobs replay_deliveries retry_jobs"));
        states.push((printed, text(&seeded.api.db.pool, STATE).await.unwrap()));
        seeded.api.service.stop().await;
    }
    assert_eq!(states[1], states[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_is_recorded_with_the_token_and_its_note() {
    let seeded = Seeded::start().await;
    let (dead, _) = jobs(&seeded).await;
    let done = seeded
        .api
        .act(&format!("jobs/{}/discard", dead[0]), &json!({"note": "of no use"}))
        .await;
    assert_eq!((done.status, &done.body["id"].to_string()), (200, &dead[0]), "{done:?}");
    let pool = &seeded.api.db.pool;
    let recorded = "SELECT count(*) FROM avinode_ingest.audit
        WHERE actor = 'token:operations' AND action = 'discard_jobs' AND details ->> 'note' = 'of no use' AND counts = '{\"jobs\": 1}'";
    assert_eq!(count(pool, recorded).await, 1);
    let outcome = "SELECT detail FROM avinode_ingest.outcomes WHERE outcome = 'discarded'";
    assert_eq!(
        text(pool, outcome).await.as_deref(),
        Some("by token:operations: of no use")
    );
    seeded.api.service.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_changed_is_a_problem_and_stays() {
    let seeded = Seeded::start().await;
    let (dead, waiting) = jobs(&seeded).await;
    let pool = &seeded.api.db.pool;
    let timer = "INSERT INTO avinode_ingest.jobs (kind, key, due_at) VALUES ('quote_expiry', 'A1B2C3 aquote-1', now() + interval '1 day') RETURNING id";
    let timer = count(pool, timer).await.to_string();
    let before = text(pool, STATE).await;
    for (path, body, status, name) in [
        (format!("jobs/{waiting}/retry"), json!({}), 409, "invalid-job-state"),
        (format!("jobs/{timer}/discard"), json!({}), 409, "job-is-timer"),
        ("jobs/4711/retry".to_owned(), json!({}), 404, "job-not-found"),
        ("jobs/4711/discard".to_owned(), json!({}), 404, "job-not-found"),
        ("deliveries/7/replay".to_owned(), json!({}), 404, "delivery-not-found"),
        (
            format!("jobs/{}/retry", dead[0]),
            json!({"note": ""}),
            422,
            "validation-failed",
        ),
        (
            format!("jobs/{}/retry", dead[0]),
            json!({"force": true}),
            422,
            "validation-failed",
        ),
    ] {
        seeded.api.act(&path, &body).await.assert_problem(status, name);
    }
    let refused = seeded
        .api
        .request(reqwest::Method::POST, &format!("/v1/admin/jobs/{}/retry", dead[0]))
        .bearer_auth(WRITE);
    send(refused).await.assert_problem(403, "forbidden");
    let after = text(pool, STATE).await;
    assert_eq!(after, before);
    let forced = seeded
        .api
        .act(&format!("jobs/{timer}/discard"), &json!({"force": true}))
        .await;
    assert_eq!(forced.status, 200, "{forced:?}");
    seeded.api.service.stop().await;
}
