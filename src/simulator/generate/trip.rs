//! Who writes the story of a trip: what can happen next, and what is said and paid.

use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rust_decimal::Decimal;

use super::ScheduleSlot;
use crate::simulator::action::{
    Action, CancelAction, ChatAction, DeclineAction, LiftAction, PriceAction, QuoteAction, RfqAction,
};
use crate::simulator::scenario::ScenarioTrip;

/// The operators of a generated story.
const OPERATORS: [&str; 6] = [
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

/// An RFQ as far as the author must know it.
struct Asked {
    rfq: String,
    open: usize,
    declined: bool,
}

/// Writes the story of one trip after the other; ids go on from trip to trip.
#[derive(Default)]
pub(super) struct TripGenerator {
    pub(super) told: Vec<Action>,
    trip: String,
    /// The second of the trip's last action; none yet.
    last: Option<u64>,
    asked: Vec<Asked>,
    quotes: Vec<String>,
    rfqs_made: u64,
    quotes_made: u64,
    messages_made: u64,
}

impl TripGenerator {
    pub(super) fn begin(&mut self, trip: &ScenarioTrip) {
        self.trip.clone_from(&trip.short);
        self.last = None;
        self.asked.clear();
        self.quotes.clear();
    }

    pub(super) fn happens(&mut self, at: u64, slot: ScheduleSlot, rng: &mut StdRng) {
        // Times of one trip differ: what is newer must be told by them.
        let at = self.last.map_or(at, |last| at.max(last + 1));
        self.last = Some(at);
        let action = match slot {
            ScheduleSlot::Request => self.request(at, rng),
            ScheduleSlot::Operator => self.answer(at, rng),
            ScheduleSlot::Lift => self.lift(at, rng),
            ScheduleSlot::Buyer => self.chat(at, "abuyermsg", rng),
            ScheduleSlot::Cancel => Action::Cancel(CancelAction { at, rfq: self.any(rng) }),
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
        Action::Request(RfqAction {
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
            0..70 if !self.quotes.is_empty() => Action::Price(PriceAction {
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
        Action::Quote(QuoteAction {
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
        Action::Decline(DeclineAction {
            at,
            rfq: self.asked[index].rfq.clone(),
            message,
            reason: REASONS.choose(rng).copied().unwrap_or_default().to_owned(),
        })
    }

    fn lift(&mut self, at: u64, rng: &mut StdRng) -> Action {
        let index = rng.random_range(0..self.asked.len());
        self.asked[index].open += 1;
        Action::Lift(LiftAction {
            at,
            rfq: self.asked[index].rfq.clone(),
        })
    }

    fn chat(&mut self, at: u64, kind: &str, rng: &mut StdRng) -> Action {
        Action::Chat(ChatAction {
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
