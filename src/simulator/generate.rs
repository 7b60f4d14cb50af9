//! Invents a story of any size: trips with their RFQs, and operators that answer, change their minds and talk.

use rand::rngs::StdRng;
use rand::seq::{IndexedMutRandom, IndexedRandom};
use rand::{RngExt, SeedableRng};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::action::{Action, Cancel, Chat, Decline, Lift, Price, Quote, Request};
use super::scenario::Trip;

/// The operators of a generated story.
pub const OPERATORS: [&str; 6] = [
    "Northwind Jets",
    "Silver Heron Aviation",
    "Blue Meridian Air",
    "Tamarack Air Charter",
    "Kestrel Point Aviation",
    "Alder & Finch Aviation",
];
/// Why they decline.
const REASONS: [&str; 4] = [
    "AIRCRAFT_NOT_AVAILABLE",
    "CREW_NOT_AVAILABLE",
    "OWNER_DECLINED",
    "UNATTRACTIVE_TRIP",
];

/// How large a story is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Generate {
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

impl Generate {
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
enum Slot {
    Request,
    Operator,
    Lift,
    Buyer,
    Cancel,
}

/// The story of this size that begins with this seed.
pub fn story(wanted: &Generate, seed: u64) -> (Vec<Trip>, Vec<Action>) {
    let mut rng = StdRng::seed_from_u64(seed);
    let trips: Vec<Trip> = (1..=wanted.trips).map(trip).collect();
    let mut author = Author::default();
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
fn trip(number: u32) -> Trip {
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
    Trip {
        short,
        id,
        sessions,
        named: !number.is_multiple_of(5),
    }
}

/// The slots of each trip, in order of time: RFQs in the first tenth, cancellations in the last, the rest in between.
fn slots(wanted: &Generate, rng: &mut StdRng) -> Vec<Vec<(u64, Slot)>> {
    let tenth = (wanted.seconds / 10).max(1);
    let (early, between, late) = (0..tenth, tenth..tenth * 9, tenth * 9..tenth * 10);
    let mut slots = vec![Vec::new(); wanted.trips as usize];
    for (number, slots) in slots.iter_mut().enumerate() {
        for _ in 0..rng.random_range(2..=5) {
            slots.push((rng.random_range(early.clone()), Slot::Request));
        }
        if number % 20 == 7 {
            slots.push((rng.random_range(late.clone()), Slot::Cancel));
        }
    }
    let others = wanted.actions / 20;
    let kinds = [
        (Slot::Operator, wanted.actions),
        (Slot::Lift, others),
        (Slot::Buyer, others),
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

/// An RFQ as far as the author must know it.
struct Asked {
    rfq: String,
    open: usize,
    declined: bool,
}

/// Writes the story of one trip after the other; ids go on from trip to trip.
#[derive(Default)]
struct Author {
    told: Vec<Action>,
    trip: String,
    /// The second of the trip's last action; none yet.
    last: Option<u64>,
    asked: Vec<Asked>,
    quotes: Vec<String>,
    rfqs_made: u64,
    quotes_made: u64,
    messages_made: u64,
}

impl Author {
    fn begin(&mut self, trip: &Trip) {
        self.trip.clone_from(&trip.short);
        self.last = None;
        self.asked.clear();
        self.quotes.clear();
    }

    fn happens(&mut self, at: u64, slot: Slot, rng: &mut StdRng) {
        // Times of one trip differ: what is newer must be told by them.
        let at = self.last.map_or(at, |last| at.max(last + 1));
        self.last = Some(at);
        let action = match slot {
            Slot::Request => self.request(at, rng),
            Slot::Operator => self.answer(at, rng),
            Slot::Lift => self.lift(at, rng),
            Slot::Buyer => self.chat(at, "abuyermsg", rng),
            Slot::Cancel => Action::Cancel(Cancel { at, rfq: self.any(rng) }),
        };
        self.told.push(action);
    }

    fn request(&mut self, at: u64, rng: &mut StdRng) -> Action {
        self.rfqs_made += 1;
        let rfq = format!("arfq-{}", 30_000_000 + self.rfqs_made);
        self.asked.push(Asked {
            rfq: rfq.clone(),
            open: 1,
            declined: false,
        });
        Action::Request(Request {
            at,
            trip: self.trip.clone(),
            rfq,
            operator: OPERATORS.choose(rng).copied().unwrap_or_default().to_owned(),
        })
    }

    /// Quotes 45, prices 25, declines 12 and messages 18 in a hundred, as far as they can happen.
    fn answer(&mut self, at: u64, rng: &mut StdRng) -> Action {
        let wish = rng.random_range(0..100);
        let open: Vec<usize> = (0..self.asked.len())
            .filter(|index| self.asked[*index].open > 0)
            .collect();
        let standing: Vec<usize> = (0..self.asked.len())
            .filter(|index| !self.asked[*index].declined)
            .collect();
        match wish {
            0..45 if !open.is_empty() => self.quote(at, open.choose(rng).copied().unwrap_or_default(), rng),
            0..70 if !self.quotes.is_empty() => Action::Price(Price {
                at,
                quote: self.quotes.choose(rng).cloned().unwrap_or_default(),
                price: price(rng),
            }),
            70..82 if !standing.is_empty() => self.decline(at, standing.choose(rng).copied().unwrap_or_default(), rng),
            _ => self.chat(at, "asellermsg", rng),
        }
    }

    fn quote(&mut self, at: u64, index: usize, rng: &mut StdRng) -> Action {
        self.quotes_made += 1;
        let quote = format!("aquote-{}", 390_000_000 + self.quotes_made);
        self.quotes.push(quote.clone());
        let message = self.message("asellermsg");
        let asked = &mut self.asked[index];
        asked.open -= 1;
        asked.declined = false;
        Action::Quote(Quote {
            at,
            rfq: asked.rfq.clone(),
            quote,
            message,
            price: price(rng),
            currency: if rng.random_ratio(1, 7) { "EUR" } else { "USD" }.to_owned(),
        })
    }

    fn decline(&mut self, at: u64, index: usize, rng: &mut StdRng) -> Action {
        let message = self.message("asellermsg");
        self.asked[index].declined = true;
        Action::Decline(Decline {
            at,
            rfq: self.asked[index].rfq.clone(),
            message,
            reason: REASONS.choose(rng).copied().unwrap_or_default().to_owned(),
        })
    }

    fn lift(&mut self, at: u64, rng: &mut StdRng) -> Action {
        let index = rng.random_range(0..self.asked.len());
        self.asked[index].open += 1;
        Action::Lift(Lift {
            at,
            rfq: self.asked[index].rfq.clone(),
        })
    }

    fn chat(&mut self, at: u64, kind: &str, rng: &mut StdRng) -> Action {
        Action::Chat(Chat {
            at,
            rfq: self.any(rng),
            message: self.message(kind),
            text: "Is the time of departure firm?".to_owned(),
        })
    }

    fn any(&self, rng: &mut StdRng) -> String {
        self.asked
            .choose(rng)
            .map(|asked| asked.rfq.clone())
            .unwrap_or_default()
    }

    fn message(&mut self, kind: &str) -> String {
        self.messages_made += 1;
        format!("{kind}-{}", 2_000_000_000 + self.messages_made)
    }
}

/// From 8,000.00 to 60,000.00.
fn price(rng: &mut StdRng) -> Decimal {
    Decimal::new(rng.random_range(16_000..=120_000) * 50, 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulator::scenario::Scenario;

    fn story_of(trips: u32, actions: u32, seed: u64) -> Scenario {
        let text = format!(r#"{{"seed":{seed},"generate":{{"trips":{trips},"actions":{actions}}}}}"#);
        Scenario::read(text.as_bytes(), None).unwrap()
    }

    #[test]
    fn a_story_can_happen_is_as_large_as_asked_and_depends_on_its_seed_only() {
        let story = story_of(50, 700, 3);
        assert_eq!((story.trips.len(), story.operator_actions()), (50, 700));
        assert_eq!(story, story_of(50, 700, 3));
        assert_ne!(story.actions, story_of(50, 700, 4).actions);
        let has = |what: fn(&Action) -> bool| story.actions.iter().any(what);
        assert!(has(|action| matches!(action, Action::Price(_))));
        assert!(has(|action| matches!(action, Action::Decline(_))));
        assert!(has(|action| matches!(action, Action::Lift(_))));
        assert!(has(|action| matches!(action, Action::Cancel(_))));
    }

    #[test]
    fn the_smallest_story_can_happen_as_well() {
        for (trips, actions) in [(1, 0), (1, 40), (3, 1)] {
            story_of(trips, actions, 1);
        }
    }
}
