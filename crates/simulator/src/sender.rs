//! The sender of notifications, which behaves like Avinode's: only HTTP 200 is success, failures are repeated at growing
//! intervals, and given up after 48 hours.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, redirect};
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::clock::ScaledClock;
use super::log::{CallLog, DeliveryLog};
use super::webhook_settings::{AuthMode, WebhookTarget};
use super::world::notification::SimulatedNotification;

/// In scenario time.
const GIVE_UP_AFTER: Duration = Duration::from_secs(48 * 3600);
/// In scenario time; each interval is twice the one before.
const FIRST_INTERVAL: Duration = Duration::from_secs(30);
const LONGEST_INTERVAL: Duration = Duration::from_secs(3600);
/// In real time.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

#[derive(Clone)]
pub struct Sender {
    client: Client,
    permits: Arc<Semaphore>,
    clock: ScaledClock,
    shutdown: CancellationToken,
}

/// Returns the body of a notification; `base_url` is the URL of the API.
pub fn body(notification: &SimulatedNotification, base_url: &str) -> String {
    let SimulatedNotification { kind, id, trip, .. } = notification;
    let mut body = json!({"id": id, "href": format!("{base_url}/{kind}/{id}"), "type": kind});
    if let Some(trip) = trip {
        body["tripId"] = json!(trip);
    }
    body.to_string()
}

impl Sender {
    /// Creates a sender with at most this many concurrent requests.
    pub fn new(max_concurrent: usize, clock: ScaledClock, shutdown: CancellationToken) -> reqwest::Result<Self> {
        // An error means that the provider is set already, which is the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            let client = Client::builder().no_proxy().redirect(redirect::Policy::none());
            client.timeout(ANSWER_TIMEOUT).user_agent("Avinode-simulator")
        };
        // Without root certificates on the machine no client could be built, although http needs none.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build())?;
        Ok(Self {
            client,
            permits: Arc::new(Semaphore::new(max_concurrent.max(1))),
            clock,
            shutdown,
        })
    }

    /// Sends a notification until it is accepted or given up.
    pub async fn deliver(&self, target: &WebhookTarget, body: &str, log: &CallLog) {
        let (begun, mut interval) = (Instant::now(), FIRST_INTERVAL);
        loop {
            let permit = self.permits.acquire().await;
            let status = self.attempt(target, body, log).await;
            drop(permit);
            if status == 200 {
                log.record_delivery(|deliveries| deliveries.delivered += 1);
                return;
            }
            log.record_delivery(|deliveries: &mut DeliveryLog| *deliveries.refusals.entry(status).or_default() += 1);
            if self.clock.elapsed(begun) + interval > GIVE_UP_AFTER {
                log.record_delivery(|deliveries| deliveries.given_up += 1);
                return;
            }
            let wait = timeout(self.clock.real(interval), self.shutdown.cancelled());
            if wait.await.is_ok() {
                return; // shutdown
            }
            interval = (interval * 2).min(LONGEST_INTERVAL);
        }
    }

    /// Makes one attempt and returns the status, or 0 without an answer.
    async fn attempt(&self, target: &WebhookTarget, body: &str, log: &CallLog) -> u16 {
        let credentials = target.auth_mode == AuthMode::Preemptive;
        let (status, challenged) = self.post(target, body, credentials, log).await;
        if target.auth_mode != AuthMode::Challenge || status != 401 || !challenged {
            return status;
        }
        log.record_delivery(|deliveries| deliveries.challenged += 1);
        self.post(target, body, true, log).await.0
    }

    /// Makes one request and returns its status, and whether the receiver asked for Basic credentials.
    async fn post(&self, target: &WebhookTarget, body: &str, credentials: bool, log: &CallLog) -> (u16, bool) {
        log.record_delivery(|deliveries| deliveries.requests += 1);
        let request = self.client.post(&target.url).header("content-type", "application/json");
        let request = if credentials {
            request.basic_auth(&target.identifier, Some(&target.secret))
        } else {
            request
        };
        let Ok(response) = request.body(body.to_owned()).send().await else {
            return (0, false);
        };
        let challenge = response.headers().get("www-authenticate");
        let challenge = challenge.and_then(|value| value.to_str().ok()).unwrap_or_default();
        let challenged = challenge.to_ascii_lowercase().starts_with("basic ");
        let status = response.status().as_u16();
        // Read to the end, so that the connection can be used again.
        let _ = response.bytes().await;
        (status, challenged)
    }
}

#[cfg(test)]
mod tests;
