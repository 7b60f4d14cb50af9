//! The simulator put together: the API served, the scenario played, the notifications sent.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::api::{ApiShared, lock, router};
use super::clock::ScaledClock;
use super::credentials::ApiCredentials;
use super::expected::Expected;
use super::faults::{ApiFaults, FaultPlan};
use super::log::CallLog;
use super::rate_limit::{RateLimit, TokenBucket};
use super::scenario::Scenario;
use super::schedule::{DeliveryFaults, StepKind, steps};
use super::sender::{Sender, body};
use super::webhook_settings::{AuthMode, EVENT_TYPES};
use super::world::SimulatedWorld;
use super::world::notification::SimulatedNotification;
use crate::clock::Clock;

/// How often it is looked for a setting.
const LOOK: Duration = Duration::from_millis(50);

/// How it behaves.
#[derive(Debug, Clone)]
pub struct SimulatorOptions {
    /// Seconds of the scenario that pass in one of the wall's; above 0.
    pub speed: f64,
    /// What goes wrong with the notifications.
    pub disorder: DeliveryFaults,
    /// What goes wrong with the API.
    pub trouble: ApiFaults,
    /// The rate limit.
    pub allowance: RateLimit,
    /// What callers must know.
    pub credentials: ApiCredentials,
    /// Notifications on their way at once.
    pub at_once: usize,
    /// For the callers' timestamps and the documents' stamps.
    pub clock: Clock,
}

impl Default for SimulatorOptions {
    fn default() -> Self {
        Self {
            speed: 60.0,
            disorder: DeliveryFaults::default(),
            trouble: ApiFaults::default(),
            allowance: RateLimit::default(),
            credentials: ApiCredentials::default(),
            at_once: 8,
            clock: Clock::System,
        }
    }
}

/// A running simulator.
pub struct Simulator {
    scenario: Scenario,
    options: SimulatorOptions,
    shared: Arc<ApiShared>,
    serving: JoinHandle<io::Result<()>>,
}

impl Simulator {
    /// Serves the API on this listener until `shutdown`. Nothing has happened yet: see [`Simulator::play`].
    ///
    /// # Errors
    /// The listener has no address.
    pub fn start(
        listener: TcpListener,
        scenario: Scenario,
        options: SimulatorOptions,
        shutdown: CancellationToken,
    ) -> io::Result<Self> {
        let base = format!("http://{}/api", listener.local_addr()?);
        let shared = Arc::new(ApiShared {
            base,
            world: Mutex::new(SimulatedWorld::new(&scenario)),
            changed: Mutex::new(HashMap::new()),
            settings: Mutex::default(),
            bucket: Mutex::new(TokenBucket::full(options.allowance, Instant::now())),
            faults: Mutex::new(FaultPlan::default()),
            trouble: options.trouble,
            seed: scenario.seed,
            credentials: options.credentials.clone(),
            log: CallLog::begin(),
            clock: options.clock,
            shutdown: shutdown.clone(),
        });
        let serving = axum::serve(listener, router(Arc::clone(&shared)));
        let serving = serving.with_graceful_shutdown(shutdown.cancelled_owned());
        Ok(Self {
            scenario,
            options,
            shared,
            serving: tokio::spawn(serving.into_future()),
        })
    }

    /// The API's URL: what `AVINODE_BASE_URL` is to be.
    pub fn base(&self) -> &str {
        &self.shared.base
    }

    /// The story.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// What sessions must look like once the story has been played and worked off.
    pub fn truth(&self) -> Expected {
        Expected::of(&self.scenario)
    }

    /// What was asked and sent so far.
    pub fn log(&self) -> &CallLog {
        &self.shared.log
    }

    /// Makes a webhook setting that subscribes to everything. Returns its id.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn subscribe(
        &self,
        uri: &str,
        identifier: &str,
        secret: &str,
        proof: AuthMode,
    ) -> Result<String, &'static str> {
        let made = lock(&self.shared.settings).create(json!({
            "targetURI": uri,
            "displayName": "made at the simulator's start",
            "active": true,
            "clientIdentifier": identifier,
            "clientSecret": secret,
            "clientAuthenticationType": match proof {
                AuthMode::Challenge => "BASIC",
                AuthMode::Preemptive => "PREEMPTIVE_BASIC",
                AuthMode::Nothing => "NONE",
            },
            "eventTypes": EVENT_TYPES,
        }))?;
        Ok(made["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until there is a webhook setting to call, or until the shutdown.
    pub async fn subscribed(&self) {
        let anybody = || {
            EVENT_TYPES
                .iter()
                .any(|event_type| !lock(&self.shared.settings).targets(event_type).is_empty())
        };
        while !anybody() && timeout(LOOK, self.shared.shutdown.cancelled()).await.is_err() {}
    }

    /// Plays the story and returns when each of its notifications was accepted or given up, or at the shutdown.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub async fn play(&self) -> reqwest::Result<()> {
        let (shared, log) = (&self.shared, &self.shared.log);
        let clock = ScaledClock::start(self.options.speed);
        let sender = Sender::new(self.options.at_once, clock, shared.shutdown.clone())?;
        let plan = steps(&self.scenario, self.options.disorder);
        let sends = plan
            .iter()
            .filter(|step| matches!(step.what, StepKind::Send(..)))
            .count();
        log.delivery(|deliveries| deliveries.planned += sends);
        let mut notices: HashMap<usize, SimulatedNotification> = HashMap::new();
        let mut sending = JoinSet::new();
        for step in plan {
            if timeout_at(clock.instant(step.at), shared.shutdown.cancelled())
                .await
                .is_ok()
            {
                break;
            }
            match step.what {
                StepKind::Act(index) => {
                    if let Some(notice) = self.act(index) {
                        notices.insert(index, notice);
                    }
                }
                StepKind::Send(index, _) => {
                    if let Some(notice) = notices.get(&index) {
                        self.send(notice, &sender, &mut sending);
                    }
                }
            }
        }
        while sending.join_next().await.is_some() {}
        Ok(())
    }

    /// Lets an action happen.
    fn act(&self, index: usize) -> Option<SimulatedNotification> {
        let shared = &self.shared;
        let action = self.scenario.actions.get(index)?;
        let mut world = lock(&shared.world);
        // Read under the lock: no answer can show a change that is younger than its clock.
        let notice = world.apply(action, shared.clock.now(), &shared.base)?;
        drop(world);
        lock(&shared.changed).insert(notice.id.clone(), Instant::now());
        Some(notice)
    }

    /// Sends a notification to everybody who has subscribed to it.
    fn send(&self, notice: &SimulatedNotification, sender: &Sender, sending: &mut JoinSet<()>) {
        let shared = &self.shared;
        let targets = lock(&shared.settings).targets(notice.event_type);
        shared.log.delivery(|deliveries| match targets.len() {
            0 => deliveries.unsubscribed += 1,
            count => deliveries.planned += count - 1,
        });
        for target in targets {
            let (sender, shared) = (sender.clone(), Arc::clone(shared));
            let body = body(notice, &shared.base);
            sending.spawn(async move { sender.deliver(&target, &body, &shared.log).await });
        }
    }

    /// Waits until the API has ended, after the shutdown.
    pub async fn ended(self) {
        let _ = self.serving.await;
    }
}

#[cfg(test)]
mod tests;
