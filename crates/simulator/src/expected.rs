//! The state in which the sessions of each trip must end, computed from the actions of the scenario in the simplest way, without
//! the simulated world, its documents or the service's rules.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::action::Action;
use super::scenario::Scenario;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// By short id.
    pub trips: BTreeMap<String, ExpectedTrip>,
    /// The number of changes of resources, which is the number of fetches that are necessary.
    pub changes: usize,
    /// Documents have the time of their last change, so the latest quote is known.
    pub updated_on: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedTrip {
    pub rfqs: usize,
    cancelled_rfqs: BTreeSet<String>,
    pub primary: ExpectedPrimary,
    /// By id.
    quotes: BTreeMap<String, MadeQuote>,
}

/// The primary quote by each policy, if a quote is not declined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedPrimary {
    /// Changed last; `None` if documents do not have the time of their last change.
    pub latest: Option<ExpectedQuote>,
    /// Made first.
    pub first: Option<ExpectedQuote>,
    /// The lowest price in the currency of the first one.
    pub lowest_price: Option<ExpectedQuote>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedQuote {
    pub id: String,
    /// With two decimals.
    pub price: String,
    pub currency: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct MadeQuote {
    rfq: String,
    made: u64,
    changed: u64,
    price: Decimal,
    currency: String,
    declined: bool,
}

impl Expected {
    /// Computes the state after all actions.
    pub fn after(scenario: &Scenario) -> Self {
        let mut trips: BTreeMap<String, ExpectedTrip> = scenario
            .trips
            .iter()
            .map(|trip| (trip.short.clone(), ExpectedTrip::default()))
            .collect();
        // The trip of each RFQ, and the RFQ of each quote.
        let mut rfqs: BTreeMap<&str, &str> = BTreeMap::new();
        let mut quotes: BTreeMap<&str, &str> = BTreeMap::new();
        for action in &scenario.actions {
            let rfq = match action {
                Action::Rfq { rfq, trip, .. } => {
                    rfqs.insert(rfq, trip);
                    rfq
                }
                Action::Quote { rfq, quote, .. } => {
                    quotes.insert(quote, rfq);
                    rfq
                }
                Action::Price { quote, .. } => quotes.get(quote.as_str()).copied().unwrap_or_default(),
                Action::Lift { rfq, .. }
                | Action::Decline { rfq, .. }
                | Action::Chat { rfq, .. }
                | Action::Cancel { rfq, .. } => rfq,
            };
            if let Some(trip) = rfqs.get(rfq).and_then(|trip| trips.get_mut(*trip)) {
                trip.apply(action);
            }
        }
        for trip in trips.values_mut() {
            trip.primary = trip.select_primary(scenario.updated_on);
        }
        Self {
            trips,
            changes: scenario.actions.len(),
            updated_on: scenario.updated_on,
        }
    }
}

impl ExpectedTrip {
    fn apply(&mut self, action: &Action) {
        match action {
            Action::Rfq { .. } => self.rfqs += 1,
            Action::Lift { .. } | Action::Chat { .. } => {}
            Action::Quote {
                at,
                rfq,
                quote,
                price,
                currency,
                ..
            } => {
                let made = MadeQuote {
                    rfq: rfq.clone(),
                    made: *at,
                    changed: *at,
                    price: *price,
                    currency: currency.clone(),
                    declined: false,
                };
                self.quotes.insert(quote.clone(), made);
            }
            Action::Price { at, quote, price } => {
                if let Some(made) = self.quotes.get_mut(quote) {
                    made.price = *price;
                    made.changed = *at;
                    made.declined = false;
                }
            }
            Action::Decline { rfq, .. } => {
                for made in self.quotes.values_mut().filter(|made| made.rfq == *rfq) {
                    made.declined = true;
                }
            }
            Action::Cancel { rfq, .. } => {
                self.cancelled_rfqs.insert(rfq.clone());
            }
        }
    }

    fn select_primary(&self, updated_on: bool) -> ExpectedPrimary {
        let candidates = || self.quotes.iter().filter(|(_, quote)| !quote.declined);
        let first = candidates().min_by_key(|(id, quote)| (quote.made, *id));
        let lowest = first.and_then(|(_, first)| {
            candidates()
                .filter(|(_, quote)| quote.currency == first.currency)
                .min_by_key(|(id, quote)| (quote.price, *id))
        });
        // The times of one trip differ, so there is no tie.
        let latest = candidates()
            .max_by_key(|(_, quote)| quote.changed)
            .filter(|_| updated_on);
        let expected = |found: Option<(&String, &MadeQuote)>| {
            found.map(|(id, quote)| ExpectedQuote {
                id: id.clone(),
                price: format!("{:.2}", quote.price),
                currency: quote.currency.clone(),
            })
        };
        ExpectedPrimary {
            latest: expected(latest),
            first: expected(first),
            lowest_price: expected(lowest),
        }
    }

    /// Returns the step that a session of the trip has at least reached, if the trip has an RFQ.
    pub fn step(&self) -> Option<&'static str> {
        (self.rfqs > 0).then_some("requesting_quotes")
    }

    /// Returns the trip status that sessions show: a trip is called off when all of its RFQs are cancelled.
    pub fn status(&self) -> Option<&'static str> {
        (self.rfqs > 0 && self.cancelled_rfqs.len() == self.rfqs).then_some("cancelled")
    }

    pub fn quotes(&self) -> usize {
        self.quotes.len()
    }
}

#[cfg(test)]
mod tests;
