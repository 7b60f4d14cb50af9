//! The model of the truth: it knows the events that were sent, and nothing of the service.

use std::collections::BTreeMap;

use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::Value;

use crate::support::bodies::{message, quote};

/// Trips, with a session each.
pub const TRIPS: usize = 40;

/// The latest statement of a quote: the event's time in seconds and the price in dollars. The policy is the lowest price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct StatedPrice {
    seconds: i64,
    dollars: u64,
}

#[derive(Debug, Default)]
pub struct Model {
    events: u64,
    quotes: BTreeMap<String, (usize, StatedPrice)>,
}

/// The expected content of a session: the price of each quote in dollars, by its id, and the id of the primary one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedSession {
    pub quotes: BTreeMap<String, u64>,
    pub primary: Option<String>,
}

pub fn trip_id(trip: usize) -> String {
    format!("atrip-{}", 880_000 + trip)
}

impl Model {
    /// Makes the next event: a new quote, another price of a known one that may be older than the known price, or a message.
    pub fn next_event(&mut self, random: &mut StdRng) -> Value {
        self.events += 1;
        let number = self.events;
        let event_id = format!("evt-chaos-{number}");
        // Different for each event, and in another order than they are sent.
        let seconds = i64::try_from(number).unwrap() + 1_000_000 * random.random_range(0..40);
        let dollars = 10_000 + number;
        let known = match random.random_range(0..10) {
            0..5 => None,
            5..9 => {
                let at = random.random_range(0..self.quotes.len().max(1));
                self.quotes.iter().nth(at).map(|(id, (trip, _))| (id.clone(), *trip))
            }
            _ => {
                let trip = trip_id(random.random_range(0..TRIPS));
                return message(&event_id, &trip, &format!("asellermsg-{number}"), seconds);
            }
        };
        let new = || (format!("aquote-9{number}"), random.random_range(0..TRIPS));
        let (quote_id, trip) = known.unwrap_or_else(new);
        let stated = StatedPrice { seconds, dollars };
        let latest = self.quotes.entry(quote_id.clone()).or_insert((trip, stated));
        if latest.1.seconds < seconds {
            latest.1 = stated;
        }
        let rfq = quote_id.replace("aquote", "arfq");
        quote(
            &event_id,
            &trip_id(trip),
            &rfq,
            &quote_id,
            seconds,
            &dollars.to_string(),
            "USD",
        )
    }

    pub fn events(&self) -> u64 {
        self.events
    }

    /// The sessions by trip.
    pub fn expected(&self) -> Vec<ExpectedSession> {
        let mut sessions = vec![ExpectedSession::default(); TRIPS];
        for (id, (trip, price)) in &self.quotes {
            sessions[*trip].quotes.insert(id.clone(), price.dollars);
        }
        for session in &mut sessions {
            let lowest = session.quotes.iter().min_by_key(|(_, dollars)| **dollars);
            session.primary = lowest.map(|(id, _)| id.clone());
        }
        sessions
    }
}
