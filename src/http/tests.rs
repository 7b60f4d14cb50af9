//! Tests of the server without a database: each response with `oneshot`, and connections over real sockets.

mod connections;
mod framing;
mod health;
mod logging;
mod peers;
mod shutdown;
mod sockets;
mod webhook;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use futures_util::future::BoxFuture;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::BodyExt;
use hyper::Request;
use serde_json::Value;
use tokio::sync::Semaphore;
use tower::ServiceExt;

use super::limits::WebhookLimits;
use super::readiness::Readiness;
use super::router::router;
use super::state::{AppState, DeliverySink, WebhookState};
use crate::avinode::signature::verifier::Verifier;
use crate::clock::Clock;
use crate::heartbeat::HeartbeatRegistry;
use crate::ingest::memory_budget::MemoryPermit;
use crate::ingest::new_delivery::{NewDelivery, ReceiveError};

const SECRET: &str = "a-secret-of-thirty-two-characters";
const BASIC: &str = "relay:pass:word";
const PATH: &str = "/webhooks/avinode";
const OTHER_PATH: &str = "/api/hooks";

/// Stores deliveries in memory, rejects them or makes them wait.
struct MemorySink {
    deliveries: Mutex<Vec<NewDelivery>>,
    error: Option<ReceiveError>,
    /// A permit for each delivery that may become durable.
    gate: Semaphore,
}

impl MemorySink {
    fn open() -> Arc<Self> {
        Self::with(None, Semaphore::MAX_PERMITS)
    }

    fn failing(error: ReceiveError) -> Arc<Self> {
        Self::with(Some(error), Semaphore::MAX_PERMITS)
    }

    fn blocked() -> Arc<Self> {
        Self::with(None, 0)
    }

    fn with(error: Option<ReceiveError>, permits: usize) -> Arc<Self> {
        Arc::new(Self {
            deliveries: Mutex::default(),
            error,
            gate: Semaphore::new(permits),
        })
    }

    fn count(&self) -> usize {
        self.deliveries.lock().unwrap().len()
    }
}

impl DeliverySink for Arc<MemorySink> {
    fn receive(&self, delivery: NewDelivery, memory: MemoryPermit) -> BoxFuture<'_, Result<(), ReceiveError>> {
        Box::pin(async {
            let _held = memory;
            self.gate.acquire().await.unwrap().forget();
            self.error.map_or(Ok(()), Err)?;
            self.deliveries.lock().unwrap().push(delivery);
            Ok(())
        })
    }
}

fn small_limits() -> WebhookLimits {
    WebhookLimits {
        body: 1000,
        body_time: Duration::from_millis(300),
        memory: 1_000_000,
        ..WebhookLimits::default()
    }
}

fn state(sink: &Arc<MemorySink>, basic: Option<&str>, limits: WebhookLimits) -> AppState {
    let verifier = Verifier::from_settings(Some(SECRET), basic).unwrap();
    let clock = Clock::Fixed(DateTime::from_timestamp(1_790_000_000, 0).unwrap());
    let readiness = Readiness::new(HeartbeatRegistry::new(), Vec::new(), Vec::new());
    let paths = vec![PATH.to_owned(), OTHER_PATH.to_owned()];
    WebhookState::shared(verifier, Arc::clone(sink), clock, paths, limits, readiness)
}

fn app(sink: &Arc<MemorySink>) -> Router {
    router(state(sink, None, small_limits()), None)
}

fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn credentials() -> String {
    format!("Basic {}", STANDARD.encode(BASIC))
}

/// A delivery with the signature of a relay.
fn signed(body: impl Into<Vec<u8>>) -> Request<Body> {
    let body = body.into();
    Request::post(PATH)
        .header("x-avinode-signature", signature(&body))
        .body(Body::from(body))
        .unwrap()
}

async fn send(router: &Router, request: Request<Body>) -> Response {
    router.clone().oneshot(request).await.unwrap()
}

async fn json(response: Response) -> Value {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

/// Asserts that a response is the named problem, and returns it.
async fn assert_problem(response: Response, status: u16, name: &str) -> Value {
    assert_eq!(response.status().as_u16(), status);
    assert_eq!(header(&response, "content-type"), Some("application/problem+json"));
    let problem = json(response).await;
    assert_eq!(problem["type"], format!("urn:avinode-ingest:problem:{name}"));
    assert_eq!(problem["status"], status);
    assert!(problem["title"].is_string() && problem["detail"].is_string());
    problem
}

/// Polls until a condition holds; fails after two seconds.
async fn eventually(condition: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..200 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("timed out: {condition}");
}
