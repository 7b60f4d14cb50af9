//! The export of spans: the real program sends them to a collector of the test. Built with the feature `otlp` only.

mod collector;
mod protobuf;

use avinode_ingest::clock::Clock;
use nix::sys::signal::Signal;
use serde_json::Value;

use self::collector::Collector;
use crate::crash::program::Serve;
use crate::support::PATIENCE;
use crate::support::bodies::quote;
use crate::support::cluster::Db;
use crate::support::eventually::{equal, eventually};
use crate::support::service::signer;
use crate::support::sessions::SessionBuilder;
use crate::support::sql::count;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Starts the program with an export that sends every `delay` milliseconds.
async fn serve(db: &Db, collector: &Collector, delay: &str) -> Serve {
    let settings = [
        ("DATABASE_URL", db.url()),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.clone()),
        ("OTEL_BSP_SCHEDULE_DELAY", delay.to_owned()),
    ];
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Serve::start(&settings).await
}

/// Sends a quote of a trip with a `traceparent`, and returns the id of the delivery.
async fn send(serve: &Serve, event: &str, trip: &str) -> String {
    let url = format!("http://{}/webhooks/avinode", serve.address);
    let client = avinode_ingest::cli::replay::sender::client(&url).unwrap();
    let body = serde_json::to_vec(&quote(event, trip, "arfq-1", "aquote-1", 0, "10000", "USD")).unwrap();
    let mut request = client
        .post(&url)
        .header("traceparent", format!("00-{TRACE}-{PARENT}-01"));
    for (name, value) in signer().sign(event, &body, Clock::System.now()) {
        request = request.header(name, value);
    }
    let answer = request.body(body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let answer: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    answer["delivery"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_trace_of_the_sender_goes_on_in_the_request_and_in_the_job() {
    let (db, collector) = (Db::new().await, Collector::start().await);
    let session = SessionBuilder::of_trip("TRACE1").insert(&db.pool).await;
    let serve = serve(&db, &collector, "50").await;
    let delivery = send(&serve, "evt-trace", "TRACE1").await;
    for name in ["request", "job", "batch", "apply"] {
        let span = eventually(PATIENCE, "the span is exported", async || {
            let spans = collector.spans();
            let found = spans.iter().find(|span| span.name == name && span.trace == TRACE);
            found.cloned().ok_or(spans)
        })
        .await;
        assert_eq!(span.parent == PARENT, matches!(name, "request" | "job"), "{span:?}");
        if matches!(name, "request" | "batch") {
            assert_eq!(span.attributes["delivery"], delivery);
        }
        if name == "job" {
            assert_eq!(span.attributes["delivery"], delivery);
            assert_eq!(span.attributes["kind"], "full_event");
            assert_eq!(span.attributes["trip"], "TRACE1");
            assert_eq!(span.attributes["sessions"], session.to_string());
        }
    }
    serve.stop(Signal::SIGTERM, PATIENCE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_that_wait_are_sent_at_the_end() {
    let (db, collector) = (Db::new().await, Collector::start().await);
    let serve = serve(&db, &collector, "3600000").await;
    send(&serve, "evt-last", "TRACE2").await;
    assert_eq!(collector.spans(), []);
    serve.stop(Signal::SIGTERM, PATIENCE).await;
    let spans = collector.spans();
    assert!(
        spans.iter().any(|span| span.name == "request" && span.trace == TRACE),
        "{spans:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_away_costs_no_delivery() {
    let db = Db::new().await;
    let away = Collector::start().await.stop().await;
    let serve = serve(&db, &away, "50").await;
    send(&serve, "evt-away", "TRACE3").await;
    eventually(PATIENCE, "the event is applied", async || {
        let applied = "SELECT count(*) FROM avinode_ingest.outcomes WHERE outcome = 'applied'";
        equal(count(&db.pool, applied).await, 1)
    })
    .await;
    serve.stop(Signal::SIGTERM, PATIENCE).await;
}
