//! A running simulator: it serves the API, plays the scenario and sends the notifications.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::api::{SimulatorState, router};
use super::clock::ScaledClock;
use super::expected::Expected;
use super::faults::FaultPlan;
use super::log::{CallLog, lock};
use super::options::SimulatorOptions;
use super::rate_limit::QuotaBucket;
use super::scenario::Scenario;
use super::schedule::{ScheduledStep, StepKind, steps};
use super::sender::{Sender, body};
use super::webhook_settings::{AuthMode, EVENT_TYPES};
use super::world::SimulatedWorld;
use super::world::notification::SimulatedNotification;

/// Between two looks for a webhook setting.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

pub struct Simulator {
    scenario: Scenario,
    state: Arc<SimulatorState>,
    server: JoinHandle<io::Result<()>>,
}

impl Simulator {
    /// Serves the API on this listener until `shutdown`. The scenario is not played yet: see [`Simulator::play`].
    pub fn start(
        listener: TcpListener,
        scenario: Scenario,
        options: SimulatorOptions,
        shutdown: CancellationToken,
    ) -> io::Result<Self> {
        let base_url = format!("http://{}/api", listener.local_addr()?);
        let state = Arc::new(SimulatorState {
            base_url,
            world: Mutex::new(SimulatedWorld::new(&scenario)),
            changed_at: Mutex::new(HashMap::new()),
            settings: Mutex::default(),
            bucket: Mutex::new(QuotaBucket::full(options.rate_limit, Instant::now())),
            fault_plan: Mutex::new(FaultPlan::default()),
            options,
            seed: scenario.seed,
            log: CallLog::begin(),
            shutdown: shutdown.clone(),
        });
        let server = axum::serve(listener, router(Arc::clone(&state)));
        let server = server.with_graceful_shutdown(shutdown.cancelled_owned());
        Ok(Self {
            scenario,
            state,
            server: tokio::spawn(server.into_future()),
        })
    }

    /// Returns the URL of the API, the value for `AVINODE_BASE_URL`.
    pub fn base(&self) -> &str {
        &self.state.base_url
    }

    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Computes the state in which sessions must be after the scenario has been played and all jobs have run.
    pub fn expected(&self) -> Expected {
        Expected::after(&self.scenario)
    }

    /// Returns the calls and notifications so far.
    pub fn log(&self) -> &CallLog {
        &self.state.log
    }

    /// Creates a webhook setting that subscribes to all event types.
    pub fn subscribe(
        &self,
        url: &str,
        identifier: &str,
        secret: &str,
        auth_mode: AuthMode,
    ) -> Result<(), &'static str> {
        let setting = json!({
            "targetURI": url,
            "displayName": "created by the simulator",
            "active": true,
            "clientIdentifier": identifier,
            "clientSecret": secret,
            "clientAuthenticationType": auth_mode,
            "eventTypes": EVENT_TYPES,
        });
        lock(&self.state.settings).create(setting).map(drop)
    }

    /// Waits until a webhook setting subscribes to an event type, or until the shutdown.
    pub async fn subscribed(&self) {
        let has_target = || {
            EVENT_TYPES
                .iter()
                .any(|event_type| !lock(&self.state.settings).targets(event_type).is_empty())
        };
        while !has_target() && timeout(POLL_INTERVAL, self.state.shutdown.cancelled()).await.is_err() {}
    }

    /// Plays the scenario. Returns when each notification was accepted or given up, or at the shutdown.
    pub async fn play(&self) -> reqwest::Result<()> {
        self.play_scenario(&self.scenario, self.state.options.speed, 0).await
    }

    /// Plays a further scenario with trips of its own, at `speed` scenario seconds per second. The actions before the second `from`
    /// happen at once.
    pub async fn play_further(&self, scenario: &Scenario, speed: f64, from: u64) -> reqwest::Result<()> {
        lock(&self.state.world).add_trips(scenario);
        self.play_scenario(scenario, speed, from).await
    }

    async fn play_scenario(&self, scenario: &Scenario, speed: f64, from: u64) -> reqwest::Result<()> {
        let state = &self.state;
        let clock = ScaledClock::start(speed);
        let sender = Sender::new(self.state.options.max_concurrent, clock, state.shutdown.clone())?;
        let schedule = steps(scenario, self.state.options.delivery_faults);
        let is_send = |step: &&ScheduledStep| matches!(step.kind, StepKind::Send(..));
        let sends = schedule.iter().filter(is_send).count();
        state.log.record_delivery(|deliveries| deliveries.planned += sends);
        let mut notifications: HashMap<usize, SimulatedNotification> = HashMap::new();
        let mut sending = JoinSet::new();
        for step in schedule {
            let shutdown = timeout_at(clock.instant(step.at.saturating_sub(from)), state.shutdown.cancelled());
            if shutdown.await.is_ok() {
                break;
            }
            match step.kind {
                StepKind::Act(index) => {
                    let notification = self.act(scenario, index);
                    notifications.extend(notification.map(|notification| (index, notification)));
                }
                StepKind::Send(index, _) => {
                    if let Some(notification) = notifications.get(&index) {
                        self.send(notification, &sender, &mut sending);
                    }
                }
            }
        }
        while sending.join_next().await.is_some() {}
        Ok(())
    }

    fn act(&self, scenario: &Scenario, index: usize) -> Option<SimulatedNotification> {
        let state = &self.state;
        let action = scenario.actions.get(index)?;
        let mut world = lock(&state.world);
        let changed = world.changed_by(action);
        // The time is read under the lock: no answer shows a change that is later than its time.
        let notification = world.apply(action, state.options.clock.now(), &state.base_url)?;
        // Under the lock of the world: a reader sees as many times as versions.
        let mut changed_at = lock(&state.changed_at);
        for (_, id) in changed {
            changed_at.entry(id).or_default().push(Instant::now());
        }
        drop((changed_at, world));
        Some(notification)
    }

    /// Sends a notification to all subscribed targets.
    fn send(&self, notification: &SimulatedNotification, sender: &Sender, sending: &mut JoinSet<()>) {
        let state = &self.state;
        let targets = lock(&state.settings).targets(notification.event_type);
        state.log.record_delivery(|deliveries| match targets.len() {
            0 => deliveries.unsubscribed += 1,
            count => deliveries.planned += count - 1,
        });
        for target in targets {
            let (sender, state) = (sender.clone(), Arc::clone(state));
            let body = body(notification, &state.base_url);
            sending.spawn(async move { sender.deliver(&target, &body, &state.log).await });
        }
    }

    /// Waits until the API server ends, after the shutdown.
    pub async fn ended(self) {
        let _ = self.server.await;
    }
}

#[cfg(test)]
mod tests;
