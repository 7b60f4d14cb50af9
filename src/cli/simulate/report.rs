//! What came of a simulation, for people and as JSON.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

use crate::simulator::instance::Simulator;
use crate::simulator::log::DeliveryLog;

/// How many differences are told in words.
const TOLD: usize = 20;

/// The summary.
#[derive(Debug, Clone, Serialize)]
pub struct SimulationReport {
    /// Trips of the scenario.
    trips: usize,
    /// Actions that happened; each changed one resource that a notification tells of.
    actions: usize,
    /// Those of operators.
    operator_actions: usize,
    /// The number that decided about chance.
    seed: u64,
    /// From the first action to the last delivery.
    seconds: f64,
    /// What became of the notifications.
    notifications: DeliveryLog,
    /// Calls of the API by outcome.
    calls: BTreeMap<String, usize>,
    /// Documents that were fetched.
    fetched: usize,
    /// Calls over the limit.
    over_limit: usize,
    /// Where sessions are not as they must be; missing where none were made.
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<Vec<String>>,
}

impl SimulationReport {
    /// What came of it so far.
    pub fn of(simulator: &Simulator, took: Duration) -> Self {
        let scenario = simulator.scenario();
        let mut report = Self {
            trips: scenario.trips.len(),
            actions: scenario.actions.len(),
            operator_actions: scenario.operator_actions(),
            seed: scenario.seed,
            seconds: took.as_secs_f64(),
            notifications: simulator.log().deliveries(),
            calls: BTreeMap::new(),
            fetched: 0,
            over_limit: 0,
            differences: None,
        };
        report.calls(simulator);
        report
    }

    /// Takes in what was asked of the API until now.
    pub fn calls(&mut self, simulator: &Simulator) {
        self.calls = simulator.log().outcomes();
        self.fetched = simulator.log().served();
        self.over_limit = simulator.log().over_limit();
    }

    /// Takes in how the sessions compare.
    pub fn compare(&mut self, differences: Vec<String>) {
        self.differences = Some(differences);
    }

    /// Whether everything was delivered, the limit was kept and the sessions are as they must be.
    pub fn is_well(&self) -> bool {
        let well = self.differences.as_ref().is_none_or(Vec::is_empty);
        well && self.notifications.is_done() && self.notifications.given_up == 0 && self.over_limit == 0
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
        let told = &self.notifications;
        write!(f, "notifications: {} of {} delivered", told.delivered, told.planned)?;
        write!(
            f,
            ", {} requests, {} of them challenged",
            told.requests, told.challenged
        )?;
        for (status, count) in &told.refusals {
            match status {
                0 => write!(f, ", {count} without an answer")?,
                status => write!(f, ", {count} answered {status}")?,
            }
        }
        if told.unsubscribed > 0 {
            write!(f, ", {} that nobody has subscribed to", told.unsubscribed)?;
        }
        if told.given_up > 0 {
            write!(f, ", {} given up after 48 hours", told.given_up)?;
        }
        let calls: Vec<String> = self
            .calls
            .iter()
            .map(|(outcome, count)| format!("{count} {outcome}"))
            .collect();
        let calls = if calls.is_empty() {
            "none".to_owned()
        } else {
            calls.join(", ")
        };
        write!(f, "\ncalls of the API: {calls}")?;
        match &self.differences {
            None => Ok(()),
            Some(differences) if differences.is_empty() => write!(f, "\nevery session is as the scenario has it"),
            Some(differences) => {
                let told = differences.iter().take(TOLD).map(String::as_str).collect::<Vec<_>>();
                write!(
                    f,
                    "\nnot as the scenario has it ({}):\n{}",
                    differences.len(),
                    told.join("\n")
                )
            }
        }
    }
}
