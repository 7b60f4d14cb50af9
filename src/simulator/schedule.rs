//! What the simulator does in which order: actions at their time, and the sending of each one's notification, perhaps
//! twice, perhaps later than those of younger ones. Made before anything happens, by seed.

use super::scenario::Scenario;
use super::seeded_random::{below, share};

/// How notifications go wrong on their way.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct DeliveryFaults {
    /// The share of notifications that are sent twice, from 0 to 1.
    pub duplicates: f64,
    /// Whether they are sent in the wrong order: each up to a twentieth of the scenario late.
    pub shuffle: bool,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ScheduledStep {
    /// The second of the scenario.
    pub at: u64,
    /// What.
    pub what: StepKind,
}

/// What a step does. At one second, actions come before their notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StepKind {
    /// The action of this index happens.
    Act(usize),
    /// The notification of the action of this index is sent; once more where a duplicate is.
    Send(usize, u8),
}

/// The steps of a scenario, in order.
pub fn steps(scenario: &Scenario, disorder: DeliveryFaults) -> Vec<ScheduledStep> {
    let (seed, length) = (scenario.seed, scenario.length());
    let mut steps = Vec::with_capacity(scenario.actions.len() * 2);
    for (index, action) in scenario.actions.iter().enumerate() {
        let (at, number) = (action.at(), index as u64);
        let late = if disorder.shuffle {
            below(length / 20 + 1, seed, &["late"], number)
        } else {
            0
        };
        let first = at + late;
        steps.push(ScheduledStep {
            at,
            what: StepKind::Act(index),
        });
        steps.push(ScheduledStep {
            at: first,
            what: StepKind::Send(index, 0),
        });
        if share(seed, &["twice"], number) < disorder.duplicates {
            // Half of them at once, in parallel with the first.
            let later = below(length / 10 + 1, seed, &["again"], number) * (number % 2);
            steps.push(ScheduledStep {
                at: first + later,
                what: StepKind::Send(index, 1),
            });
        }
    }
    steps.sort_unstable();
    steps
}

#[cfg(test)]
mod tests;
