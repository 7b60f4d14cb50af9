//! What the sessions of each trip must look like when all is done: told by the scenario's actions alone, in the plainest
//! way, without the world, its documents or the service's rules.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::Serialize;

use super::action::Action;
use super::scenario::Scenario;

/// The truth about every trip.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// By short id.
    pub trips: BTreeMap<String, ExpectedTrip>,
    /// Resources that changed, once for each change: what a service that fetches well fetches.
    pub changes: usize,
    /// Whether documents say when they were changed, so that it is told which quote is the latest.
    pub orders: bool,
}

/// The truth about one trip.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ExpectedTrip {
    /// Distinct quotes that operators made.
    pub quotes: usize,
    /// Distinct RFQs that the buyer sent.
    pub requests: usize,
    /// Messages that were neither quote nor decline.
    pub chats: usize,
    /// Whether it was called off.
    pub cancelled: bool,
    /// The quote that leads, by each policy.
    pub primary: ExpectedPrimary,
    #[serde(skip)]
    made: BTreeMap<String, Made>,
}

/// The quote that leads, by each policy; none where none stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ExpectedPrimary {
    /// Changed last; only told by documents that say when they were changed.
    pub latest: Option<Primary>,
    /// Made first.
    pub first: Option<Primary>,
    /// The lowest price in the currency of the one made first.
    pub lowest_price: Option<Primary>,
}

/// A quote that leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Primary {
    /// Its id.
    pub quote: String,
    /// Its price, with two decimals.
    pub price: String,
    /// In.
    pub currency: String,
    /// Who made it.
    pub operator: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Made {
    rfq: String,
    made: u64,
    changed: u64,
    price: Decimal,
    currency: String,
    operator: String,
    declined: bool,
}

impl Expected {
    /// The truth about a scenario that has come to its end.
    pub fn of(scenario: &Scenario) -> Self {
        let mut trips: BTreeMap<String, ExpectedTrip> = scenario
            .trips
            .iter()
            .map(|trip| (trip.short.clone(), ExpectedTrip::default()))
            .collect();
        // RFQ to its trip and operator, and quote to its RFQ.
        let mut rfqs: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
        let mut quotes: BTreeMap<&str, &str> = BTreeMap::new();
        for action in &scenario.actions {
            let rfq = match action {
                Action::Request(asked) => {
                    rfqs.insert(&asked.rfq, (&asked.trip, &asked.operator));
                    asked.rfq.as_str()
                }
                Action::Lift(lift) => &lift.rfq,
                Action::Quote(quote) => {
                    quotes.insert(&quote.quote, &quote.rfq);
                    &quote.rfq
                }
                Action::Price(price) => quotes.get(price.quote.as_str()).copied().unwrap_or_default(),
                Action::Decline(decline) => &decline.rfq,
                Action::Chat(chat) => &chat.rfq,
                Action::Cancel(cancel) => &cancel.rfq,
            };
            let Some((trip, operator)) = rfqs.get(rfq) else {
                continue;
            };
            if let Some(trip) = trips.get_mut(*trip) {
                trip.take(action, operator);
            }
        }
        for trip in trips.values_mut() {
            trip.primary = trip.leading(scenario.updated_on);
        }
        Self {
            trips,
            changes: scenario.actions.len(),
            orders: scenario.updated_on,
        }
    }
}

impl ExpectedTrip {
    fn take(&mut self, action: &Action, operator: &str) {
        match action {
            Action::Request(_) => self.requests += 1,
            Action::Lift(_) => {}
            Action::Quote(quote) => {
                let made = Made {
                    rfq: quote.rfq.clone(),
                    made: quote.at,
                    changed: quote.at,
                    price: quote.price,
                    currency: quote.currency.clone(),
                    operator: operator.to_owned(),
                    declined: false,
                };
                self.made.insert(quote.quote.clone(), made);
                self.quotes = self.made.len();
            }
            Action::Price(price) => {
                if let Some(made) = self.made.get_mut(&price.quote) {
                    made.price = price.price;
                    made.changed = price.at;
                    made.declined = false;
                }
            }
            Action::Decline(decline) => {
                for made in self.made.values_mut().filter(|made| made.rfq == decline.rfq) {
                    made.declined = true;
                }
            }
            Action::Chat(_) => self.chats += 1,
            Action::Cancel(_) => self.cancelled = true,
        }
    }

    fn leading(&self, orders: bool) -> ExpectedPrimary {
        let standing = || self.made.iter().filter(|(_, made)| !made.declined);
        let first = standing().min_by_key(|(id, made)| (made.made, *id));
        let lowest = first.and_then(|(_, first)| {
            standing()
                .filter(|(_, made)| made.currency == first.currency)
                .min_by_key(|(id, made)| (made.price, *id))
        });
        // Times of one trip differ: no tie.
        let latest = standing().max_by_key(|(_, made)| made.changed).filter(|_| orders);
        let primary = |found: Option<(&String, &Made)>| {
            found.map(|(id, made)| Primary {
                quote: id.clone(),
                price: format!("{:.2}", made.price),
                currency: made.currency.clone(),
                operator: made.operator.clone(),
            })
        };
        ExpectedPrimary {
            latest: primary(latest),
            first: primary(first),
            lowest_price: primary(lowest),
        }
    }

    /// The step that a session of it has reached at least; none where nothing has happened.
    pub fn step(&self) -> Option<&'static str> {
        (self.requests > 0).then_some("requesting_quotes")
    }

    /// The status that sessions tell of it.
    pub fn status(&self) -> Option<&'static str> {
        self.cancelled.then_some("cancelled")
    }

    /// The ids of its quotes.
    pub fn quote_ids(&self) -> BTreeSet<&str> {
        self.made.keys().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests;
