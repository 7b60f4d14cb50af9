//! The summary of `simulate`, as text and as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::simulator::instance::Simulator;
use crate::simulator::log::DeliveryLog;

/// Further differences are only counted.
const MAX_DIFFERENCES: usize = 20;

#[derive(Debug, Clone, Serialize)]
pub struct SimulationReport {
    trips: usize,
    /// Each changed one resource, and caused one notification.
    actions: usize,
    operator_actions: usize,
    seed: u64,
    /// From the first action to the last delivery.
    seconds: f64,
    notifications: DeliveryLog,
    #[serde(flatten)]
    calls: CallCounts,
    /// Differences between sessions and scenario; missing without --sessions.
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<Vec<String>>,
}

#[derive(Debug, Clone, Serialize)]
struct CallCounts {
    /// API calls by outcome.
    calls: BTreeMap<String, usize>,
    /// Documents that the API returned.
    fetched: usize,
    /// API calls above the rate limit.
    over_limit: usize,
}

impl CallCounts {
    fn of(simulator: &Simulator) -> Self {
        Self {
            calls: simulator.log().results(),
            fetched: simulator.log().served(),
            over_limit: simulator.log().over_limit(),
        }
    }
}

impl SimulationReport {
    pub fn new(simulator: &Simulator, took: Duration) -> Self {
        let scenario = simulator.scenario();
        Self {
            trips: scenario.trips.len(),
            actions: scenario.actions.len(),
            operator_actions: scenario.operator_actions(),
            seed: scenario.seed,
            seconds: took.as_secs_f64(),
            notifications: simulator.log().deliveries(),
            calls: CallCounts::of(simulator),
            differences: None,
        }
    }

    /// Updates the numbers of API calls.
    pub fn calls(&mut self, simulator: &Simulator) {
        self.calls = CallCounts::of(simulator);
    }

    pub fn compare(&mut self, differences: Vec<String>) {
        self.differences = Some(differences);
    }

    /// Returns whether everything was delivered, the rate limit was kept and the sessions are as expected.
    pub fn is_successful(&self) -> bool {
        let as_expected = self.differences.as_ref().is_none_or(Vec::is_empty);
        as_expected && self.notifications.is_done() && self.notifications.given_up == 0 && self.calls.over_limit == 0
    }
}

impl fmt::Display for SimulationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            trips,
            actions,
            operator_actions,
            seed,
            seconds,
            ..
        } = self;
        writeln!(
            f,
            "{trips} trips, {actions} actions ({operator_actions} of operators), seed {seed}, in {seconds:.1} s"
        )?;
        let sent = &self.notifications;
        write!(f, "notifications: {} of {} delivered", sent.delivered, sent.planned)?;
        write!(
            f,
            ", {} requests, {} of them challenged",
            sent.requests, sent.challenged
        )?;
        for (status, count) in &sent.refusals {
            match status {
                0 => write!(f, ", {count} without a response")?,
                status => write!(f, ", {count} answered {status}")?,
            }
        }
        if sent.unsubscribed > 0 {
            write!(f, ", {} without a webhook setting", sent.unsubscribed)?;
        }
        if sent.given_up > 0 {
            write!(f, ", {} given up after 48 hours", sent.given_up)?;
        }
        let calls = self
            .calls
            .calls
            .iter()
            .map(|(outcome, count)| format!("{count} {outcome}"));
        let calls = calls.collect::<Vec<_>>().join(", ");
        write!(f, "\nAPI calls: {}", if calls.is_empty() { "none" } else { &calls })?;
        match &self.differences {
            None => Ok(()),
            Some(differences) if differences.is_empty() => write!(f, "\nevery session is as expected by the scenario"),
            Some(differences) => {
                write!(f, "\n{} differences from the scenario:", differences.len())?;
                let mut shown = differences.iter().take(MAX_DIFFERENCES);
                shown.try_for_each(|difference| write!(f, "\n{difference}"))
            }
        }
    }
}
