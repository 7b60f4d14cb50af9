//! What Avinode knows at a moment: pure, changed by one action after the other.
//!
//! Plain ids and plain rules of its own, none of the service's types: what it tells must not be made by what it tests.

mod change;
pub mod notification;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::documents;
use super::scenario::{LatestQuote, Scenario};

/// All that Avinode knows.
#[derive(Debug, Clone)]
pub struct SimulatedWorld {
    /// When something last happened.
    last: DateTime<Utc>,
    /// Whether documents tell when they were changed.
    pub updated_on: bool,
    /// What a lift shows of its quote.
    pub latest_quote: LatestQuote,
    /// By short id.
    pub trips: BTreeMap<String, SimulatedTrip>,
    /// By id.
    pub rfqs: BTreeMap<String, SimulatedRfq>,
    /// By id, the automatic ones too.
    pub quotes: BTreeMap<String, SimulatedQuote>,
    /// By id.
    pub messages: BTreeMap<String, SimulatedMessage>,
    /// What each resource looked like before its last change, and how often it has changed.
    before: HashMap<String, Before>,
    lifts: u64,
}

/// A trip.
#[derive(Debug, Clone)]
pub struct SimulatedTrip {
    /// The resource id.
    pub id: String,
    /// Whether notifications name it.
    pub named: bool,
    /// Its RFQs, the oldest first.
    pub rfqs: Vec<String>,
}

/// When something was made and last changed.
#[derive(Debug, Clone, Copy)]
pub struct ResourceTimestamps {
    /// Made.
    pub created: DateTime<Utc>,
    /// Last changed.
    pub updated: DateTime<Utc>,
}

/// An RFQ.
#[derive(Debug, Clone)]
pub struct SimulatedRfq {
    /// The short id of its trip.
    pub trip: String,
    /// Who is asked.
    pub operator: String,
    /// The aircraft asked for.
    pub lifts: Vec<SimulatedLift>,
    /// Called off.
    pub canceled: bool,
    /// When.
    pub stamps: ResourceTimestamps,
}

/// An aircraft of an RFQ.
#[derive(Debug, Clone)]
pub struct SimulatedLift {
    /// Its id.
    pub id: String,
    /// The operator's answer.
    pub answer: LiftAnswer,
    /// The operator's quote, once there was one.
    pub quote: Option<String>,
    /// Prices that Avinode made by itself, which nobody quoted.
    pub automatic: Vec<String>,
}

/// An operator's answer for an aircraft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiftAnswer {
    /// None yet.
    Unanswered,
    /// A quote.
    Accepted,
    /// No.
    Declined,
}

/// A quote.
#[derive(Debug, Clone)]
pub struct SimulatedQuote {
    /// Its RFQ.
    pub rfq: String,
    /// The price.
    pub price: Decimal,
    /// In.
    pub currency: String,
    /// The message that brought it; none for an automatic price.
    pub message: Option<String>,
    /// When.
    pub stamps: ResourceTimestamps,
}

/// A message of the trip's chat.
#[derive(Debug, Clone)]
pub struct SimulatedMessage {
    /// Its RFQ.
    pub rfq: String,
    /// What it brings.
    pub brings: MessageContent,
    /// When.
    pub stamps: ResourceTimestamps,
}

/// What a message brings.
#[derive(Debug, Clone)]
pub enum MessageContent {
    /// This quote.
    Quote(String),
    /// A decline, with its reason.
    Decline(String),
    /// Words.
    Text(String),
}

#[derive(Debug, Clone, Default)]
struct Before {
    document: Option<Value>,
    changes: u64,
}

impl SimulatedWorld {
    /// Avinode before anything has happened.
    pub fn new(scenario: &Scenario) -> Self {
        let trips = scenario.trips.iter().map(|trip| {
            let known = SimulatedTrip {
                id: trip.id.clone(),
                named: trip.named,
                rfqs: Vec::new(),
            };
            (trip.short.clone(), known)
        });
        Self {
            last: DateTime::UNIX_EPOCH,
            updated_on: scenario.updated_on,
            latest_quote: scenario.latest_quote,
            trips: trips.collect(),
            rfqs: BTreeMap::new(),
            quotes: BTreeMap::new(),
            messages: BTreeMap::new(),
            before: HashMap::new(),
            lifts: 0,
        }
    }

    /// The document of a resource as it is now: the envelope's `data`. `base` is the API's URL, for links.
    pub fn document(&self, kind: &str, id: &str, base: &str) -> Option<Value> {
        documents::document(self, kind, id, base)
    }

    /// The document as it was before its last change, and how often it has changed; for reads that come too early.
    pub fn before(&self, id: &str) -> (Option<&Value>, u64) {
        self.before
            .get(id)
            .map_or((None, 0), |before| (before.document.as_ref(), before.changes))
    }
}

#[cfg(test)]
mod tests;
