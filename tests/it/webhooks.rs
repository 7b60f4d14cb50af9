//! Webhooks about changed sessions: the real service, and a receiver on a socket that verifies every signature.

mod crash;
mod delivery;
mod failures;
mod queueing;

use std::sync::Arc;
use std::time::Duration;

use avinode_ingest::avinode::signature::secrets::WebhookSecret;
use avinode_ingest::avinode::signature::signer::Signer;
use avinode_ingest::avinode::signature::verifier::Verifier;
use avinode_ingest::clock::Clock;
use avinode_ingest::notify::target::NotifyTarget;
use avinode_ingest::queue::retry::RetryPolicy;
use avinode_ingest::service::ServiceSettings;
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::support::PATIENCE;
use crate::support::bodies::quote_of;
use crate::support::eventually::eventually;
use crate::support::pool::Pool;
use crate::support::recorder::{Recorder, Script, answer};
use crate::support::service::RunningService;
use crate::support::sql::count;

/// The secret of the receiver.
const KEY: &str = "whsec_YS1yZWNlaXZlci10aGF0LW9ubHktdGVzdHMtaGF2ZQ==";

/// A 2xx.
fn accepted() -> Script {
    answer("204 No Content", &[], b"")
}

/// A failure of the receiver.
fn failed() -> Script {
    answer("500 Internal Server Error", &[], b"a text that is logged nowhere")
}

/// The URL of a receiver, with a part that is a secret.
fn url(receiver: &Recorder) -> String {
    format!("http://{}/hooks?key=hidden-key", receiver.address)
}

/// The settings of a service that sends to this receiver.
fn settings(receiver: &Recorder) -> ServiceSettings {
    let signer = Signer::with_secret(WebhookSecret::parse(KEY).unwrap());
    let mut target = NotifyTarget::new(url(receiver).parse().unwrap(), vec![signer]);
    target.call_timeout = Duration::from_secs(20);
    ServiceSettings {
        notify: Some(Arc::new(target)),
        poll: Duration::from_millis(50),
        retry: RetryPolicy {
            base: Duration::from_millis(5),
            max: Duration::from_millis(50),
            max_attempts: 3,
            ..RetryPolicy::default()
        },
        ..ServiceSettings::default()
    }
}

/// A webhook that was received, with a valid signature.
#[derive(Debug, Clone)]
struct ReceivedWebhook {
    id: String,
    data: Value,
    body: String,
}

/// Returns the webhooks that were received completely, in the order of their connections.
fn received(receiver: &Recorder) -> Vec<ReceivedWebhook> {
    let verifier = Verifier::from_settings(Some(KEY), None).unwrap();
    let requests = receiver.connections();
    let complete = requests.iter().filter_map(|request| request.split_once("\r\n\r\n"));
    let parsed = complete.filter_map(|(head, body)| {
        assert!(head.starts_with("POST /hooks?key=hidden-key HTTP/1.1"), "{head}");
        let headers: HeaderMap = head.lines().skip(1).map(header).collect();
        let length: usize = headers["content-length"].to_str().unwrap().parse().unwrap();
        if body.len() < length {
            return None;
        }
        let verified = verifier.verify(&headers, body.as_bytes(), Clock::System.now());
        assert!(verified.is_ok(), "{verified:?}: {head}");
        let parsed: Value = serde_json::from_str(body).unwrap();
        assert_eq!(parsed["type"], "session.changed");
        Some(ReceivedWebhook {
            id: headers["webhook-id"].to_str().unwrap().to_owned(),
            data: parsed["data"].clone(),
            body: body.to_owned(),
        })
    });
    parsed.collect()
}

fn header(line: &str) -> (reqwest::header::HeaderName, reqwest::header::HeaderValue) {
    let (name, value) = line.split_once(": ").unwrap();
    (name.parse().unwrap(), value.parse().unwrap())
}

/// Waits for so many webhooks.
async fn until_received(receiver: &Recorder, webhooks: usize) -> Vec<ReceivedWebhook> {
    eventually(PATIENCE, "the webhooks arrive", async || {
        let received = received(receiver);
        match received.len() >= webhooks {
            true => Ok(received),
            false => Err(received.len()),
        }
    })
    .await
}

/// Waits until no job is left that this process can run.
async fn until_idle(pool: &Pool) {
    eventually(PATIENCE, "no job is left", async || {
        match count(
            pool,
            "SELECT count(*) FROM avinode_ingest.jobs WHERE kind NOT LIKE 'fetch%'",
        )
        .await
        {
            0 => Ok(()),
            left => Err(left),
        }
    })
    .await;
}

/// Posts a quote of a trip, signed.
async fn post_quote(service: &RunningService, trip: &str, quote: &str, seconds: i64) {
    let body = serde_json::to_vec(&quote_of(trip, quote, seconds)).unwrap();
    assert_eq!(service.post(&body).await.0, 200);
}
