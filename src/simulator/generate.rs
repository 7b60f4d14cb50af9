//! Invents a story of any size: trips with their RFQs, and operators that answer, change their minds and talk.

mod trip;

use rand::rngs::StdRng;
use rand::seq::IndexedMutRandom;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

use self::trip::TripGenerator;
use super::action::Action;
use super::scenario::ScenarioTrip;

/// How large a story is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GeneratorOptions {
    /// Trips, each with two to five RFQs.
    pub trips: u32,
    /// What operators do in all: quotes, changed prices, declines and messages. What the buyer does comes on top.
    pub actions: u32,
    /// Seconds that all of it takes.
    #[serde(default = "ten_hours")]
    pub seconds: u64,
}

fn ten_hours() -> u64 {
    36_000
}

impl GeneratorOptions {
    /// So many trips and operators' actions, within ten hours.
    pub fn of(trips: u32, actions: u32) -> Self {
        Self {
            trips,
            actions,
            seconds: ten_hours(),
        }
    }
}

/// What a slot in a trip's time is for.
#[derive(Clone, Copy)]
enum ScheduleSlot {
    Request,
    Operator,
    Lift,
    Buyer,
    Cancel,
}

/// The story of this size that begins with this seed.
pub fn story(wanted: &GeneratorOptions, seed: u64) -> (Vec<ScenarioTrip>, Vec<Action>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let trips: Vec<ScenarioTrip> = (1..=wanted.trips).map(trip).collect();
    let mut author = TripGenerator::default();
    let mut actions = Vec::new();
    for (trip, slots) in trips.iter().zip(slots(wanted, &mut rng)) {
        author.begin(trip);
        for (at, slot) in slots {
            author.happens(at, slot, &mut rng);
        }
        actions.append(&mut author.told);
    }
    // Stable: what happens to one trip has times of its own that rise already.
    actions.sort_by_key(Action::at);
    (trips, actions)
}

/// The trip of this number: sessions by either id and in several spellings, some trips by both; one in five is not named
/// by its notifications.
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

/// The slots of each trip, in order of time: RFQs in the first tenth, cancellations in the last, the rest in between.
fn slots(wanted: &GeneratorOptions, rng: &mut StdRng) -> Vec<Vec<(u64, ScheduleSlot)>> {
    let tenth = (wanted.seconds / 10).max(1);
    let (early, between, late) = (0..tenth, tenth..tenth * 9, tenth * 9..tenth * 10);
    let mut slots = vec![Vec::new(); wanted.trips as usize];
    for (number, slots) in slots.iter_mut().enumerate() {
        for _ in 0..rng.random_range(2..=5) {
            slots.push((rng.random_range(early.clone()), ScheduleSlot::Request));
        }
        if number % 20 == 7 {
            slots.push((rng.random_range(late.clone()), ScheduleSlot::Cancel));
        }
    }
    let others = wanted.actions / 20;
    let kinds = [
        (ScheduleSlot::Operator, wanted.actions),
        (ScheduleSlot::Lift, others),
        (ScheduleSlot::Buyer, others),
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
