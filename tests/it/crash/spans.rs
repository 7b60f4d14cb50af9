//! Log lines name the request, the job, the trip and the session that they are about.

use avinode_ingest::clock::Clock;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::load::client;
use super::program::Serve;
use crate::support::PATIENCE;
use crate::support::bodies::quote;
use crate::support::cluster::Db;
use crate::support::service::signer;
use crate::support::sessions::SessionBuilder;

/// The span of a log line with this name.
fn span<'a>(line: &'a Value, name: &str) -> &'a Value {
    let spans = line["spans"].as_array().unwrap_or_else(|| panic!("no spans: {line}"));
    let found = spans.iter().find(|span| span["name"] == name);
    found.unwrap_or_else(|| panic!("no span {name}: {line}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn log_lines_name_the_request_the_job_the_trip_and_the_session() {
    let db = Db::new().await;
    let session = SessionBuilder::of_trip("SPAN01").insert(&db.pool).await;
    let mut serve = Serve::start(&[("DATABASE_URL", &db.url())]).await;
    let url = format!("http://{}/webhooks/avinode", serve.address);
    let client = client(&serve.address);
    let refused = client
        .post(&url)
        .header("x-request-id", "refused-1")
        .body("{}")
        .send()
        .await
        .unwrap();
    assert_eq!(refused.status(), 401);
    let line: Value = serde_json::from_str(&serve.program.line("rejected a delivery").await).unwrap();
    assert_eq!(span(&line, "request")["request_id"], "refused-1");

    let mut body = quote("evt-span", "SPAN01", "arfq-1", "aquote-1", 0, "10000", "USD");
    body["data"]["quote"]["validUntil"] = json!("tomorrow");
    let body = serde_json::to_vec(&body).unwrap();
    let mut request = client.post(&url);
    for (name, value) in signer().sign("msg_test", &body, Clock::System.now()) {
        request = request.header(name, value);
    }
    let answer = request.body(body).send().await.unwrap();
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let line: Value = serde_json::from_str(&serve.program.line("did not understand").await).unwrap();
    let batch = span(&line, "batch");
    assert_eq!(
        (&batch["kind"], &batch["delivery"]),
        (&json!("full_event"), &answer["delivery"])
    );
    assert_eq!(batch["job"], line["job"]);
    let apply = span(&line, "apply");
    assert_eq!((&apply["trip"], &apply["session"]), (&json!("SPAN01"), &json!(session)));
    serve.stop(Signal::SIGTERM, PATIENCE).await;
}
