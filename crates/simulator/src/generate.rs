//! Generates trips with RFQs, and actions of operators who quote, change prices, decline and write messages.

mod trip;

use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedMutRandom;
use rand::{RngExt, SeedableRng};
use serde::Deserialize;

use self::trip::{ActionSlot, TripGenerator};
use super::action::Action;
use super::scenario::trip::ScenarioTrip;

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorOptions {
    /// Trips, each with two to five RFQs.
    pub trips: u32,
    /// Actions of operators: quotes, changed prices, declines and messages. Actions of the buyer are extra.
    pub actions: u32,
    /// The length of the scenario.
    #[serde(default = "ten_hours")]
    pub seconds: u64,
}

fn ten_hours() -> u64 {
    36_000
}

impl GeneratorOptions {
    /// Returns options for ten hours.
    pub fn new(trips: u32, actions: u32) -> Self {
        Self {
            trips,
            actions,
            seconds: ten_hours(),
        }
    }
}

/// Generates trips and their actions; the same options and seed give the same result.
pub fn generate(options: &GeneratorOptions, seed: u64) -> (Vec<ScenarioTrip>, Vec<Action>) {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let trips: Vec<ScenarioTrip> = (1..=options.trips).map(trip).collect();
    let mut generator = TripGenerator::default();
    for (trip, slots) in trips.iter().zip(slots(options, &mut rng)) {
        generator.begin(trip);
        for (at, slot) in slots {
            generator.add(at, slot, &mut rng);
        }
    }
    let mut actions = generator.actions;
    // Stable: the times of one trip rise already, and differ.
    actions.sort_by_key(Action::at);
    (trips, actions)
}

/// Returns the trip of this number. Sessions have either id, in several spellings; some trips have a session for each id; one
/// trip in five is not named by its notifications.
fn trip(number: u32) -> ScenarioTrip {
    let (short, digits) = (format!("SIM{number:03}"), 70_000_000 + number);
    let id = format!("atrip-{digits}");
    let mut sessions = vec![match number % 4 {
        0 => short.clone(),
        1 => id.clone(),
        2 => digits.to_string(),
        _ => short.to_lowercase(),
    }];
    if number.is_multiple_of(10) {
        sessions.push(id.clone());
    }
    ScenarioTrip {
        short,
        id,
        sessions,
        named: !number.is_multiple_of(5),
    }
}

/// Returns the slots of each trip, in order of time: RFQs in the first tenth, cancellations in the last, the rest in between.
fn slots(options: &GeneratorOptions, rng: &mut Xoshiro256PlusPlus) -> Vec<Vec<(u64, ActionSlot)>> {
    let tenth = (options.seconds / 10).max(1);
    let (early, between, late) = (0..tenth, tenth..tenth * 9, tenth * 9..tenth * 10);
    let mut slots = vec![Vec::new(); options.trips as usize];
    for (number, slots) in slots.iter_mut().enumerate() {
        for _ in 0..rng.random_range(2..=5) {
            slots.push((rng.random_range(early.clone()), ActionSlot::Rfq));
        }
        if number % 20 == 7 {
            slots.push((rng.random_range(late.clone()), ActionSlot::Cancel));
        }
    }
    let others = options.actions / 20;
    let kinds = [
        (ActionSlot::Operator, options.actions),
        (ActionSlot::Lift, others),
        (ActionSlot::Buyer, others),
    ];
    for (slot, count) in kinds {
        for _ in 0..count {
            let at = rng.random_range(between.clone());
            if let Some(slots) = slots.as_mut_slice().choose_mut(rng) {
                slots.push((at, slot));
            }
        }
    }
    for slots in &mut slots {
        slots.sort_by_key(|(at, _)| *at);
    }
    slots
}

#[cfg(test)]
mod tests;
