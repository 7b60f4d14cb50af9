//! Generates the actions of a trip, from those that are possible at each moment.

use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::IndexedRandom;
use rust_decimal::Decimal;

use crate::action::Action;
use crate::scenario::trip::ScenarioTrip;

const OPERATORS: [&str; 6] = [
    "Northwind Jets",
    "Silver Heron Aviation",
    "Blue Meridian Air",
    "Tamarack Air Charter",
    "Kestrel Point Aviation",
    "Alder & Finch Aviation",
];
const DECLINE_REASONS: [&str; 4] = [
    "AIRCRAFT_NOT_AVAILABLE",
    "CREW_NOT_AVAILABLE",
    "OWNER_DECLINED",
    "UNATTRACTIVE_TRIP",
];

/// The kind of action at a time of a trip.
#[derive(Clone, Copy)]
pub(super) enum ActionSlot {
    Rfq,
    Operator,
    Lift,
    Buyer,
    Cancel,
}

struct SentRfq {
    id: String,
    /// Aircraft without a quote.
    open_lifts: usize,
    declined: bool,
}

/// Generates one trip after the other; ids are numbered across trips.
#[derive(Default)]
pub(super) struct TripGenerator {
    pub(super) actions: Vec<Action>,
    trip: String,
    /// The second of the trip's last action.
    last: Option<u64>,
    rfqs: Vec<SentRfq>,
    quotes: Vec<String>,
    rfq_count: u64,
    quote_count: u64,
    message_count: u64,
}

impl TripGenerator {
    pub(super) fn begin(&mut self, trip: &ScenarioTrip) {
        self.trip.clone_from(&trip.short);
        self.last = None;
        self.rfqs.clear();
        self.quotes.clear();
    }

    pub(super) fn add(&mut self, at: u64, slot: ActionSlot, rng: &mut Xoshiro256PlusPlus) {
        // The times of one trip differ, because they decide which quote is the latest.
        let at = self.last.map_or(at, |last| at.max(last + 1));
        self.last = Some(at);
        let action = match slot {
            ActionSlot::Rfq => self.rfq(at, rng),
            ActionSlot::Operator => self.answer(at, rng),
            ActionSlot::Lift => self.lift(at, rng),
            ActionSlot::Buyer => self.chat(at, "abuyermsg", rng),
            ActionSlot::Cancel => Action::Cancel {
                at,
                rfq: self.any_rfq(rng),
            },
        };
        self.actions.push(action);
    }

    fn rfq(&mut self, at: u64, rng: &mut Xoshiro256PlusPlus) -> Action {
        self.rfq_count += 1;
        let rfq = format!("arfq-{}", 30_000_000 + self.rfq_count);
        self.rfqs.push(SentRfq {
            id: rfq.clone(),
            open_lifts: 1,
            declined: false,
        });
        Action::Rfq {
            at,
            trip: self.trip.clone(),
            rfq,
            operator: OPERATORS.choose(rng).copied().unwrap_or_default().to_owned(),
        }
    }

    /// Returns a quote (45 %), a price (25 %), a decline (12 %) or a message, if it is possible, and else a message.
    fn answer(&mut self, at: u64, rng: &mut Xoshiro256PlusPlus) -> Action {
        let percent = rng.random_range(0..100);
        let indexes = |accept: fn(&SentRfq) -> bool| -> Vec<usize> {
            (0..self.rfqs.len())
                .filter(|index| accept(&self.rfqs[*index]))
                .collect()
        };
        let open = indexes(|rfq| rfq.open_lifts > 0);
        let not_declined = indexes(|rfq| !rfq.declined);
        match percent {
            0..45 if !open.is_empty() => self.quote(at, open.choose(rng).copied().unwrap_or_default(), rng),
            0..70 if !self.quotes.is_empty() => Action::Price {
                at,
                quote: self.quotes.choose(rng).cloned().unwrap_or_default(),
                price: price(rng),
            },
            70..82 if !not_declined.is_empty() => {
                self.decline(at, not_declined.choose(rng).copied().unwrap_or_default(), rng)
            }
            _ => self.chat(at, "asellermsg", rng),
        }
    }

    fn quote(&mut self, at: u64, index: usize, rng: &mut Xoshiro256PlusPlus) -> Action {
        self.quote_count += 1;
        let quote = format!("aquote-{}", 390_000_000 + self.quote_count);
        self.quotes.push(quote.clone());
        let message = self.message("asellermsg");
        let rfq = &mut self.rfqs[index];
        rfq.open_lifts -= 1;
        rfq.declined = false;
        Action::Quote {
            at,
            rfq: rfq.id.clone(),
            quote,
            message,
            price: price(rng),
            currency: if rng.random_ratio(1, 7) { "EUR" } else { "USD" }.to_owned(),
        }
    }

    fn decline(&mut self, at: u64, index: usize, rng: &mut Xoshiro256PlusPlus) -> Action {
        let message = self.message("asellermsg");
        self.rfqs[index].declined = true;
        Action::Decline {
            at,
            rfq: self.rfqs[index].id.clone(),
            message,
            reason: DECLINE_REASONS.choose(rng).copied().unwrap_or_default().to_owned(),
        }
    }

    fn lift(&mut self, at: u64, rng: &mut Xoshiro256PlusPlus) -> Action {
        let index = rng.random_range(0..self.rfqs.len());
        self.rfqs[index].open_lifts += 1;
        Action::Lift {
            at,
            rfq: self.rfqs[index].id.clone(),
        }
    }

    fn chat(&mut self, at: u64, kind: &str, rng: &mut Xoshiro256PlusPlus) -> Action {
        Action::Chat {
            at,
            rfq: self.any_rfq(rng),
            message: self.message(kind),
            text: "Is the time of departure firm?".to_owned(),
        }
    }

    fn any_rfq(&self, rng: &mut Xoshiro256PlusPlus) -> String {
        self.rfqs.choose(rng).map(|rfq| rfq.id.clone()).unwrap_or_default()
    }

    fn message(&mut self, kind: &str) -> String {
        self.message_count += 1;
        format!("{kind}-{}", 2_000_000_000 + self.message_count)
    }
}

/// Returns a price from 8,000.00 to 60,000.00.
fn price(rng: &mut Xoshiro256PlusPlus) -> Decimal {
    Decimal::new(rng.random_range(16_000..=120_000) * 50, 2)
}
