//! A receiver of alerts over HTTP, which verifies their signatures with code of its own.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use tokio::net::TcpListener;

/// The key of [`SECRET`].
const KEY: &[u8] = b"a key of 24 bytes......!";

/// The secret that the service signs with.
pub fn secret() -> String {
    format!("whsec_{}", STANDARD.encode(KEY))
}

/// A received alert.
#[derive(Debug, Clone, PartialEq)]
pub struct ReceivedAlert {
    pub id: String,
    pub text: String,
}

#[derive(Default)]
struct Received {
    alerts: Vec<ReceivedAlert>,
    refused: Vec<ReceivedAlert>,
    /// Statuses of the next answers.
    answers: Vec<u16>,
}

/// The server.
#[derive(Clone)]
pub struct AlertReceiver {
    pub url: String,
    received: Arc<Mutex<Received>>,
}

impl AlertReceiver {
    /// Starts it on a free port; it ends with the test's runtime.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/services/T0/B0/hush", listener.local_addr().unwrap()),
            received: Arc::default(),
        };
        let router = Router::new()
            .route("/services/T0/B0/hush", axum::routing::post(receive))
            .with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        receiver
    }

    /// Answers the next alerts with these statuses.
    pub fn answer(&self, statuses: &[u16]) {
        self.received.lock().unwrap().answers = statuses.to_vec();
    }

    /// The alerts that were answered 200.
    pub fn alerts(&self) -> Vec<ReceivedAlert> {
        self.received.lock().unwrap().alerts.clone()
    }

    /// The alerts that were answered otherwise.
    pub fn refused(&self) -> Vec<ReceivedAlert> {
        self.received.lock().unwrap().refused.clone()
    }

    /// The accepted alerts with these words.
    pub fn with(&self, words: &str) -> Vec<ReceivedAlert> {
        let mut alerts = self.alerts();
        alerts.retain(|alert| alert.text.contains(words));
        alerts
    }
}

async fn receive(State(receiver): State<AlertReceiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers[name].to_str().unwrap();
    assert_eq!(header("content-type"), "application/json");
    let (id, timestamp) = (header("webhook-id"), header("webhook-timestamp"));
    let age = chrono::DateTime::from_timestamp(timestamp.parse().unwrap(), 0).unwrap();
    let age = (avinode_ingest::clock::Clock::System.now() - age).num_seconds();
    assert!((-5..60).contains(&age), "{age}");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(KEY).unwrap();
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(&body);
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(header("webhook-signature"), expected);
    let content: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(content.as_object().unwrap().len(), 1, "{content}");
    let alert = ReceivedAlert {
        id: id.to_owned(),
        text: content["text"].as_str().unwrap().to_owned(),
    };
    let mut received = receiver.received.lock().unwrap();
    if received.answers.is_empty() {
        received.alerts.push(alert);
        return StatusCode::OK;
    }
    received.refused.push(alert);
    StatusCode::from_u16(received.answers.remove(0)).unwrap()
}
