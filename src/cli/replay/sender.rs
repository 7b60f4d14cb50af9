//! Sending many signed deliveries: at most so many at once, at most so many a second, with a polite answer to 503.
//!
//! `demo` and `replay` both send through here, so what the demo shows is what a sender meets.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, redirect};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use super::summary::{ReplayResponse, ReplaySummary};
use crate::avinode::signature::signer::Signer;
use crate::cli::error::chain;
use crate::clock::Clock;

/// How long one request may take in all.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// How often a delivery that was answered 503 is sent again.
const RETRIES: u32 = 10;
/// The longest that a `Retry-After` is obeyed.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How much of a refusal is read, to be shown.
const REFUSAL_BYTES: usize = 2048;

/// A body to send and what it is called in messages.
#[derive(Debug, Clone)]
pub struct SignedDelivery {
    /// For example the file it was read from.
    pub name: Arc<str>,
    /// The exact bytes.
    pub body: Bytes,
}

impl SignedDelivery {
    /// A delivery of these bytes.
    pub fn new(name: impl Display, body: impl Into<Bytes>) -> Self {
        Self {
            name: name.to_string().into(),
            body: body.into(),
        }
    }
}

/// What to send, and how hard.
#[derive(Debug, Clone)]
pub struct SendPlan {
    /// In the order in which they are begun.
    pub deliveries: Vec<SignedDelivery>,
    /// How many are under way at once, at least one.
    pub concurrency: usize,
    /// How many are begun a second, at most.
    pub rate: Option<f64>,
}

/// What became of one delivery: the answer, or why there is none.
pub type SendResult = Result<ReplayResponse, String>;

/// A client for this URL: no proxy from the environment, no redirects, and an end to waiting.
pub fn client(url: &str) -> reqwest::Result<Client> {
    // Set once a process; a second attempt finds the same provider there.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(REQUEST_LIMIT)
        .user_agent(concat!("avinode-ingest-replay/", env!("CARGO_PKG_VERSION")));
    if url.starts_with("http:") {
        // A machine without root certificates could not make a client at all, though none are needed here.
        client.tls_certs_only([]).build()
    } else {
        client.build()
    }
}

/// Sends everything; `observe` is told of each delivery as it ends, by its name.
///
/// A 503 is sent again, signed anew, as its `Retry-After` says and at most ten times; nothing else is. Its latency is
/// that of the last request.
pub async fn send_all(
    plan: &SendPlan,
    url: &str,
    client: &Client,
    signer: &Signer,
    clock: Clock,
    observe: &(dyn Fn(&str, &SendResult) + Sync),
) -> ReplaySummary {
    let started = Instant::now();
    let sending = plan.deliveries.iter().enumerate().map(|(index, delivery)| async move {
        if let Some(rate) = plan.rate {
            sleep_until(started + slot(index, rate)).await;
        }
        let outcome = send(delivery, url, client, signer, clock).await;
        observe(&delivery.name, &outcome);
        outcome
    });
    let outcomes: Vec<SendResult> = stream::iter(sending)
        .buffer_unordered(plan.concurrency.max(1))
        .collect()
        .await;
    ReplaySummary::of(outcomes, started.elapsed())
}

/// When the delivery of this index may begin, counted from the start.
fn slot(index: usize, rate: f64) -> Duration {
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    Duration::try_from_secs_f64(f64::from(index) / rate).unwrap_or(Duration::MAX / 4)
}

async fn send(delivery: &SignedDelivery, url: &str, client: &Client, signer: &Signer, clock: Clock) -> SendResult {
    let mut retries = 0;
    loop {
        let mut request = client
            .post(url)
            .header("content-type", "application/json")
            .body(delivery.body.clone());
        let message_id = format!("msg_{}", Uuid::now_v7().simple());
        for (name, value) in signer.sign(&message_id, &delivery.body, clock.now()) {
            request = request.header(name, value);
        }
        let begun = Instant::now();
        let response = request.send().await.map_err(|error| chain(&error))?;
        let status = response.status().as_u16();
        let wait = retry_after(&response);
        let said = read_start(response).await.map_err(|error| chain(&error))?;
        if status == 503 && retries < RETRIES {
            retries += 1;
            sleep(wait).await;
            continue;
        }
        return Ok(ReplayResponse {
            status,
            said,
            latency: begun.elapsed(),
            retries,
        });
    }
}

/// How long the answer asks to wait: whole seconds; a second where it says nothing that is understood.
fn retry_after(response: &Response) -> Duration {
    let asked = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(asked.unwrap_or(1)).min(LONGEST_WAIT)
}

/// Reads the answer to its end, so that the connection can be used again, and keeps its beginning.
async fn read_start(mut response: Response) -> reqwest::Result<String> {
    let mut start = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = REFUSAL_BYTES.saturating_sub(start.len());
        start.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(String::from_utf8_lossy(&start).into_owned())
}

#[cfg(test)]
mod tests;
