//! Sends many signed deliveries, with a maximum concurrency and rate. A 503 is retried after its `Retry-After`.
//!
//! `demo` and `replay` both use it, so that the demo shows what a sender experiences.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::{StreamExt, stream};
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, Response, redirect};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use super::summary::{ReplayResponse, ReplaySummary};
use crate::avinode::signature::signer::Signer;
use crate::cli::error::{CliError, Context, chain};
use crate::cli::fixtures::Fixture;
use crate::clock::Clock;

const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// Retries of a delivery that was answered 503.
const MAX_RETRIES: u32 = 10;
/// Upper limit of a `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(30);
/// Bytes of a response that are kept, to be shown.
const MAX_BODY_BYTES: usize = 2048;

/// A body to send.
#[derive(Debug, Clone)]
pub struct SignedDelivery {
    /// Its name in messages, for example the file it was read from.
    pub name: Arc<str>,
    pub body: Bytes,
}

impl SignedDelivery {
    pub fn new(name: impl Display, body: impl Into<Bytes>) -> Self {
        Self {
            name: name.to_string().into(),
            body: body.into(),
        }
    }
}

/// The bodies of fixtures, with their placeholders replaced.
pub fn signed_deliveries(
    fixtures: &[Fixture],
    now: DateTime<Utc>,
    avinode: &str,
) -> Result<Vec<SignedDelivery>, CliError> {
    let bodies = fixtures.iter().map(|fixture| {
        let body = fixture.body_of(now, avinode).context("replace the placeholders")?;
        Ok(SignedDelivery::new(fixture.path.display(), body))
    });
    bodies.collect()
}

#[derive(Debug, Clone)]
pub struct SendPlan {
    /// In the order of sending.
    pub deliveries: Vec<SignedDelivery>,
    /// At least 1.
    pub concurrency: usize,
    /// Deliveries per second, at most.
    pub rate: Option<f64>,
}

/// The response, or the reason why there is none.
pub type SendResult = Result<ReplayResponse, String>;

/// A client for this URL that uses no proxy and follows no redirects.
pub fn client(url: &str) -> reqwest::Result<Client> {
    // Fails where the process has installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(REQUEST_TIMEOUT)
        .user_agent(concat!("avinode-ingest-replay/", env!("CARGO_PKG_VERSION")));
    if url.starts_with("http:") {
        // Without this, a machine without root certificates could make no client at all.
        client.tls_certs_only([]).build()
    } else {
        client.build()
    }
}

/// Sends everything, and calls `observe` with the name and the result of each delivery.
///
/// Only a 503 is retried, with a new signature. The latency of a delivery is that of its last request.
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
            sleep_until(started + send_time(index, rate)).await;
        }
        let result = send(delivery, url, client, signer, clock).await;
        observe(&delivery.name, &result);
        result
    });
    let results: Vec<SendResult> = stream::iter(sending)
        .buffer_unordered(plan.concurrency.max(1))
        .collect()
        .await;
    ReplaySummary::new(results, started.elapsed())
}

/// The earliest time of this delivery, counted from the start.
fn send_time(index: usize, rate: f64) -> Duration {
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
        let body = read_start(response).await.map_err(|error| chain(&error))?;
        if status == 503 && retries < MAX_RETRIES {
            retries += 1;
            sleep(wait).await;
            continue;
        }
        return Ok(ReplayResponse {
            status,
            body,
            latency: begun.elapsed(),
            retries,
        });
    }
}

/// Returns the `Retry-After`, or one second where there is none in whole seconds.
fn retry_after(response: &Response) -> Duration {
    let seconds = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(1)).min(MAX_RETRY_AFTER)
}

/// Reads the whole response, so that the connection can be reused, and returns its beginning.
async fn read_start(mut response: Response) -> reqwest::Result<String> {
    let mut start = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        let room = MAX_BODY_BYTES.saturating_sub(start.len());
        start.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(String::from_utf8_lossy(&start).into_owned())
}

#[cfg(test)]
mod tests;
