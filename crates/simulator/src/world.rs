//! The state of Avinode, changed by one action after the other, without I/O.
//!
//! It has its own ids and rules, and none of the service's types: the test data must not come from the code under test.

mod change;
pub mod notification;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::scenario::{LatestQuote, Scenario};

#[derive(Debug, Clone)]
pub struct SimulatedWorld {
    /// The time of the last action.
    last: DateTime<Utc>,
    /// Documents have the time of their last change.
    pub updated_on: bool,
    pub latest_quote: LatestQuote,
    /// By short id.
    pub trips: BTreeMap<String, SimulatedTrip>,
    pub rfqs: BTreeMap<String, SimulatedRfq>,
    /// Automatic prices too.
    pub quotes: BTreeMap<String, SimulatedQuote>,
    pub messages: BTreeMap<String, SimulatedMessage>,
    /// The documents before each change, the oldest first, by resource id.
    versions: HashMap<String, Vec<Option<Value>>>,
    lifts: u64,
}

#[derive(Debug, Clone)]
pub struct SimulatedTrip {
    /// The resource id.
    pub id: String,
    /// Notifications carry its short id.
    pub named: bool,
    /// The oldest first.
    pub rfqs: Vec<String>,
    /// The second of its last action.
    last: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
pub struct ResourceTimestamps {
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub struct SimulatedRfq {
    /// The short id.
    pub trip: String,
    pub operator: String,
    pub lifts: Vec<SimulatedLift>,
    pub canceled: bool,
    pub timestamps: ResourceTimestamps,
}

/// An aircraft of an RFQ.
#[derive(Debug, Clone)]
pub struct SimulatedLift {
    pub id: String,
    pub answer: LiftAnswer,
    /// The operator's quote.
    pub quote: Option<String>,
    /// Quotes that Avinode generated.
    pub automatic: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiftAnswer {
    Unanswered,
    /// With a quote.
    Accepted,
    Declined,
}

#[derive(Debug, Clone)]
pub struct SimulatedQuote {
    pub rfq: String,
    pub price: Decimal,
    pub currency: String,
    /// The message with this quote; `None` for an automatic price.
    pub message: Option<String>,
    pub timestamps: ResourceTimestamps,
}

#[derive(Debug, Clone)]
pub struct SimulatedMessage {
    pub rfq: String,
    pub content: MessageContent,
    pub timestamps: ResourceTimestamps,
}

#[derive(Debug, Clone)]
pub enum MessageContent {
    /// The id of the quote.
    Quote(String),
    /// The reason.
    Decline(String),
    Text(String),
}

impl SimulatedWorld {
    /// Creates the state before the first action.
    pub fn new(scenario: &Scenario) -> Self {
        let mut world = Self {
            last: DateTime::UNIX_EPOCH,
            updated_on: scenario.updated_on,
            latest_quote: scenario.latest_quote,
            trips: BTreeMap::new(),
            rfqs: BTreeMap::new(),
            quotes: BTreeMap::new(),
            messages: BTreeMap::new(),
            versions: HashMap::new(),
            lifts: 0,
        };
        world.add_trips(scenario);
        world
    }

    /// Adds the trips of a scenario, before its first action.
    pub fn add_trips(&mut self, scenario: &Scenario) {
        let trips = scenario.trips.iter().map(|trip| {
            let simulated = SimulatedTrip {
                id: trip.id.clone(),
                named: trip.named,
                rfqs: Vec::new(),
                last: None,
            };
            (trip.short.clone(), simulated)
        });
        self.trips.extend(trips);
    }

    /// Returns the documents of a resource before each of its changes, the oldest first, to simulate a late API. Before the first
    /// one there was none.
    pub fn versions(&self, id: &str) -> &[Option<Value>] {
        self.versions.get(id).map_or(&[], Vec::as_slice)
    }
}

fn unknown(id: &str) -> String {
    format!("names {id}, which does not exist yet")
}

#[cfg(test)]
mod tests;
