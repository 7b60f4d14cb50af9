//! The door without a database: every answer by `oneshot`, and what only real sockets show.

mod answers;
mod quiet;
mod sockets;

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

use super::readiness::Readiness;
use super::router::router;
use super::state::{AppState, DeliverySink, WebhookLimits};
use crate::avinode::signature::verifier::Verifier;
use crate::clock::Clock;
use crate::heartbeat::HeartbeatRegistry;
use crate::ingest::group_commit::{NewDelivery, ReceiveError};

const SECRET: &str = "a-secret-of-thirty-two-characters";
const BASIC: &str = "relay:pass:word";
const PATH: &str = "/webhooks/avinode";

/// Stands where the database is: keeps arrivals in memory, or refuses them, or makes them wait.
struct Keeper {
    arrivals: Mutex<Vec<NewDelivery>>,
    refuse_with: Option<ReceiveError>,
    /// A permit for each delivery that may become durable.
    gate: Semaphore,
}

impl Keeper {
    fn open() -> Arc<Self> {
        Self::with(None, Semaphore::MAX_PERMITS)
    }

    fn refusing(why: ReceiveError) -> Arc<Self> {
        Self::with(Some(why), Semaphore::MAX_PERMITS)
    }

    fn shut() -> Arc<Self> {
        Self::with(None, 0)
    }

    fn with(refuse_with: Option<ReceiveError>, permits: usize) -> Arc<Self> {
        Arc::new(Self {
            arrivals: Mutex::default(),
            refuse_with,
            gate: Semaphore::new(permits),
        })
    }

    fn count(&self) -> usize {
        self.arrivals.lock().unwrap().len()
    }
}

impl DeliverySink for Arc<Keeper> {
    fn receive(&self, arrival: NewDelivery) -> BoxFuture<'_, Result<(), ReceiveError>> {
        Box::pin(async {
            self.gate.acquire().await.unwrap().forget();
            self.refuse_with.map_or(Ok(()), Err)?;
            self.arrivals.lock().unwrap().push(arrival);
            Ok(())
        })
    }
}

fn small() -> WebhookLimits {
    WebhookLimits {
        body: 1000,
        body_time: Duration::from_millis(300),
        memory: 1_000_000,
        ..WebhookLimits::default()
    }
}

fn state(keeper: &Arc<Keeper>, basic: Option<&str>, limits: WebhookLimits) -> AppState {
    let verifier = Verifier::from_settings(Some(SECRET), basic).unwrap();
    let clock = Clock::Fixed(DateTime::from_timestamp(1_790_000_000, 0).unwrap());
    let readiness = Readiness::new(HeartbeatRegistry::new(), Vec::new());
    AppState::new(verifier, Arc::clone(keeper), clock, limits, readiness)
}

fn door(keeper: &Arc<Keeper>) -> Router {
    router(state(keeper, None, small()), None)
}

fn signature(body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

fn credentials() -> String {
    format!("Basic {}", STANDARD.encode(BASIC))
}

/// A delivery as the relay would sign it.
fn signed(body: impl Into<Vec<u8>>) -> Request<Body> {
    let body = body.into();
    Request::post(PATH)
        .header("x-avinode-signature", signature(&body))
        .body(Body::from(body))
        .unwrap()
}

async fn ask(router: &Router, request: Request<Body>) -> Response {
    router.clone().oneshot(request).await.unwrap()
}

async fn json(response: Response) -> Value {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

/// Waits for another task without a fixed sleep; fails after two seconds.
async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..200 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("did not come about: {what}");
}
