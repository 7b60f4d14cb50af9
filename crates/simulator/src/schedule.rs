//! The schedule of a simulation, drawn by seed before it starts: actions at their time, and the notification of each, perhaps
//! twice, perhaps later than those of later actions.

use super::scenario::Scenario;
use super::seeded_random::{below, chance};

#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DeliveryFaults {
    /// The share of notifications that are sent twice, from 0 to 1.
    pub duplicates: f64,
    /// Sends notifications in the wrong order: each is late by up to a twentieth of the scenario.
    pub shuffle: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScheduledStep {
    /// The second of the scenario.
    pub at: u64,
    pub kind: StepKind,
}

/// In the order within a second: actions come before their notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepKind {
    /// Apply the action with this index.
    Act(usize),
    /// Send the notification of the action with this index; 1 for the duplicate.
    Send(usize, u8),
}

/// Returns the steps of a scenario, in order.
pub fn steps(scenario: &Scenario, faults: DeliveryFaults) -> Vec<ScheduledStep> {
    let (seed, length) = (scenario.seed, scenario.length());
    let mut steps = Vec::with_capacity(scenario.actions.len() * 2);
    let mut add = |at, kind| steps.push(ScheduledStep { at, kind });
    for (index, action) in scenario.actions.iter().enumerate() {
        let number = index as u64;
        let delay = if faults.shuffle {
            below(length / 20 + 1, seed, &["late"], number)
        } else {
            0
        };
        let first = action.at() + delay;
        add(action.at(), StepKind::Act(index));
        add(first, StepKind::Send(index, 0));
        if chance(faults.duplicates, seed, &["twice"], number) {
            // Half of them at the same time, in parallel with the first.
            let later = below(length / 10 + 1, seed, &["again"], number) * (number % 2);
            add(first + later, StepKind::Send(index, 1));
        }
    }
    steps.sort_unstable();
    steps
}

#[cfg(test)]
mod tests;
