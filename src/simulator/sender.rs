//! The sender of notifications, as Avinode is known to send: HTTP 200 and nothing else is success, what fails is sent
//! again at growing intervals, and given up after 48 hours.

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

/// How long it is tried, of the scenario's time.
const GIVE_UP: Duration = Duration::from_secs(48 * 3600);
/// The first interval between two attempts, and the longest; each is twice the one before.
const FIRST_INTERVAL: Duration = Duration::from_secs(30);
const LONGEST_INTERVAL: Duration = Duration::from_secs(3600);
/// How long a receiver may take to answer, on the wall's clock.
const ANSWER_TIME: Duration = Duration::from_secs(30);

/// Sends notifications.
#[derive(Clone)]
pub struct Sender {
    client: Client,
    /// Requests under way at once.
    lines: Arc<Semaphore>,
    clock: ScaledClock,
    shutdown: CancellationToken,
}

/// The body of a notification; `base` is the API's URL.
pub fn body(notice: &SimulatedNotification, base: &str) -> String {
    let mut body = json!({
        "id": notice.id,
        "href": format!("{base}/{}/{}", notice.kind, notice.id),
        "type": notice.kind,
    });
    if let Some(trip) = &notice.trip {
        body["tripId"] = json!(trip);
    }
    body.to_string()
}

impl Sender {
    /// Sends at most so many requests at once, until `shutdown`.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(at_once: usize, clock: ScaledClock, shutdown: CancellationToken) -> reqwest::Result<Self> {
        // Set once a process; a second attempt finds the same provider there.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            let client = Client::builder().no_proxy().redirect(redirect::Policy::none());
            client.timeout(ANSWER_TIME).user_agent("Avinode-simulator")
        };
        // A machine without root certificates could not make a client at all, though http needs none.
        let client = builder().build().or_else(|_| builder().tls_certs_only([]).build())?;
        Ok(Self {
            client,
            lines: Arc::new(Semaphore::new(at_once.max(1))),
            clock,
            shutdown,
        })
    }

    /// Sends a notification until it is accepted or given up.
    pub async fn deliver(&self, target: &WebhookTarget, body: &str, log: &CallLog) {
        let (begun, mut interval) = (Instant::now(), FIRST_INTERVAL);
        loop {
            let line = self.lines.acquire().await;
            let status = self.attempt(target, body, log).await;
            drop(line);
            if status == 200 {
                log.delivery(|deliveries| deliveries.delivered += 1);
                return;
            }
            log.delivery(|deliveries: &mut DeliveryLog| *deliveries.refusals.entry(status).or_default() += 1);
            if self.clock.passed(begun) + interval > GIVE_UP {
                log.delivery(|deliveries| deliveries.given_up += 1);
                return;
            }
            let wait = timeout(self.clock.wall(interval), self.shutdown.cancelled());
            if wait.await.is_ok() {
                return; // the simulator ends
            }
            interval = (interval * 2).min(LONGEST_INTERVAL);
        }
    }

    /// One attempt: the status, or 0 where there was no answer.
    async fn attempt(&self, target: &WebhookTarget, body: &str, log: &CallLog) -> u16 {
        let credentials = target.proof == AuthMode::Preemptive;
        let (status, challenged) = self.post(target, body, credentials, log).await;
        if target.proof != AuthMode::Challenge || status != 401 || !challenged {
            return status;
        }
        log.delivery(|deliveries| deliveries.challenged += 1);
        self.post(target, body, true, log).await.0
    }

    /// One request: its status, and whether it was asked for Basic credentials.
    async fn post(&self, target: &WebhookTarget, body: &str, credentials: bool, log: &CallLog) -> (u16, bool) {
        log.delivery(|deliveries| deliveries.requests += 1);
        let request = self.client.post(&target.uri).header("content-type", "application/json");
        let request = if credentials {
            request.basic_auth(&target.identifier, Some(&target.secret))
        } else {
            request
        };
        let Ok(response) = request.body(body.to_owned()).send().await else {
            return (0, false);
        };
        let asked = response
            .headers()
            .get("www-authenticate")
            .and_then(|value| value.to_str().ok());
        let challenged = asked.is_some_and(|asked| asked.to_ascii_lowercase().starts_with("basic "));
        let status = response.status().as_u16();
        // Read to its end, so that the connection can be used again.
        let _ = response.bytes().await;
        (status, challenged)
    }
}

#[cfg(test)]
mod tests;
