//! `trace`: what became of a quote, told by the real program about signed deliveries to the real service.

mod bodies;
mod causes;
mod fetches;
mod identifiers;
mod story;

use avinode_ingest::avinode::signature::signer::Signer;
use avinode_ingest::clock::Clock;
use serde_json::Value;

use crate::support::PATIENCE;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::program::{ProgramRun, run_on};
use crate::support::service::RunningService;
use crate::support::sql::text;

const TRIP: &str = "A1B2C3";
const QUOTE: &str = "aquote-386512791";
const RFQ: &str = "arfq-12345678";

/// Runs `trace` and returns its output.
async fn trace(db: &Db, id: &str) -> ProgramRun {
    run_on(db, &["trace", id]).await
}

/// The lines with a cause.
async fn causes(db: &Db, id: &str) -> Vec<String> {
    let output = trace(db, id).await;
    println!("{}", output.all());
    let lines = output.stdout.lines().filter_map(|line| line.strip_prefix("cause  "));
    lines.map(str::to_owned).collect()
}

/// The only cause.
async fn cause(db: &Db, id: &str) -> String {
    let mut causes = causes(db, id).await;
    assert_eq!(causes.len(), 1, "{causes:?}");
    causes.pop().unwrap()
}

/// Sends a signed body and waits until it is done.
async fn deliver(db: &Db, service: &RunningService, body: &Value) -> String {
    let (status, answer) = service.post(&serde_json::to_vec(body).unwrap()).await;
    assert_eq!(status, 200, "{answer}");
    done(db).await;
    answer["delivery"].as_str().unwrap().to_owned()
}

/// Waits until no job is due.
async fn done(db: &Db) {
    let left = "SELECT string_agg(concat_ws(' ', kind, key, history::text), '; ') FROM avinode_ingest.jobs
        WHERE lease_token IS NOT NULL OR due_at < clock_timestamp() + interval '1 second'";
    eventually(PATIENCE, "all is done", async || {
        equal(text(&db.pool, left).await, None)
    })
    .await;
}

/// Sends a body signed with this secret, and returns the status.
async fn post_signed_with(service: &RunningService, secret: &str, body: &Value) -> u16 {
    let url = format!("{}/webhooks/avinode", service.base);
    let body = serde_json::to_vec(body).unwrap();
    let client = avinode_ingest::cli::replay::sender::client(&url).unwrap();
    let mut request = client.post(&url).body(body.clone());
    let signer = Signer::from_settings(Some(secret), None).unwrap().unwrap();
    for (name, value) in signer.sign("msg_test", &body, Clock::System.now()) {
        request = request.header(name, value);
    }
    request.send().await.unwrap().status().as_u16()
}
