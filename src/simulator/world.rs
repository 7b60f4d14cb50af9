//! What Avinode knows at a moment: pure, changed by one action after the other, and what each change is notified as.
//!
//! Plain ids and plain rules of its own, none of the service's types: what it tells must not be made by what it tests.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde_json::Value;

use super::action::{Action, is_of_the_buyer};
use super::documents;
use super::scenario::{LatestQuote, Scenario};

/// All that Avinode knows.
#[derive(Debug, Clone)]
pub struct World {
    /// When something last happened.
    last: DateTime<Utc>,
    /// Whether documents tell when they were changed.
    pub updated_on: bool,
    /// What a lift shows of its quote.
    pub latest_quote: LatestQuote,
    /// By short id.
    pub trips: BTreeMap<String, Trip>,
    /// By id.
    pub rfqs: BTreeMap<String, Rfq>,
    /// By id, the automatic ones too.
    pub quotes: BTreeMap<String, Quote>,
    /// By id.
    pub messages: BTreeMap<String, Message>,
    /// What each resource looked like before its last change, and how often it has changed.
    before: HashMap<String, Before>,
    lifts: u64,
}

/// A trip.
#[derive(Debug, Clone)]
pub struct Trip {
    /// The resource id.
    pub id: String,
    /// Whether notifications name it.
    pub named: bool,
    /// Its RFQs, the oldest first.
    pub rfqs: Vec<String>,
}

/// When something was made and last changed.
#[derive(Debug, Clone, Copy)]
pub struct Stamps {
    /// Made.
    pub created: DateTime<Utc>,
    /// Last changed.
    pub updated: DateTime<Utc>,
}

/// An RFQ.
#[derive(Debug, Clone)]
pub struct Rfq {
    /// The short id of its trip.
    pub trip: String,
    /// Who is asked.
    pub operator: String,
    /// The aircraft asked for.
    pub lifts: Vec<Lift>,
    /// Called off.
    pub canceled: bool,
    /// When.
    pub stamps: Stamps,
}

/// An aircraft of an RFQ.
#[derive(Debug, Clone)]
pub struct Lift {
    /// Its id.
    pub id: String,
    /// The operator's answer.
    pub answer: Answer,
    /// The operator's quote, once there was one.
    pub quote: Option<String>,
    /// Prices that Avinode made by itself, which nobody quoted.
    pub automatic: Vec<String>,
}

/// An operator's answer for an aircraft.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// None yet.
    Unanswered,
    /// A quote.
    Accepted,
    /// No.
    Declined,
}

/// A quote.
#[derive(Debug, Clone)]
pub struct Quote {
    /// Its RFQ.
    pub rfq: String,
    /// The price.
    pub price: Decimal,
    /// In.
    pub currency: String,
    /// The message that brought it; none for an automatic price.
    pub message: Option<String>,
    /// When.
    pub stamps: Stamps,
}

/// A message of the trip's chat.
#[derive(Debug, Clone)]
pub struct Message {
    /// Its RFQ.
    pub rfq: String,
    /// What it brings.
    pub brings: Brings,
    /// When.
    pub stamps: Stamps,
}

/// What a message brings.
#[derive(Debug, Clone)]
pub enum Brings {
    /// This quote.
    Quote(String),
    /// A decline, with its reason.
    Decline(String),
    /// Words.
    Text(String),
}

/// A change of a resource, as its notification tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// `rfqs` or `tripmsgs`.
    pub kind: &'static str,
    /// The resource.
    pub id: String,
    /// The short id of its trip, where the notification is to name it.
    pub trip: Option<String>,
    /// What a setting must have subscribed to.
    pub event_type: &'static str,
}

#[derive(Debug, Clone, Default)]
struct Before {
    document: Option<Value>,
    changes: u64,
}

impl World {
    /// Avinode before anything has happened.
    pub fn new(scenario: &Scenario) -> Self {
        let trips = scenario.trips.iter().map(|trip| {
            let known = Trip {
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

    /// Lets it happen now. Actions of a checked scenario always can; any other changes nothing.
    ///
    /// The stamps are the wall's moments, not the scenario's seconds: a reader may compare them with its own clock, and no
    /// two are the same.
    pub fn apply(&mut self, action: &Action, now: DateTime<Utc>, base: &str) -> Option<Notice> {
        let notice = self.notice(action)?;
        let document = self.document(notice.kind, &notice.id, base);
        let before = self.before.entry(notice.id.clone()).or_default();
        before.document = document;
        before.changes += 1;
        // Whole microseconds, rounded down: never ahead of the wall's clock.
        let now = now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now);
        self.last = now.max(self.last + TimeDelta::microseconds(1));
        self.change(action, self.last)?;
        Some(notice)
    }

    /// What the action will be notified as.
    fn notice(&self, action: &Action) -> Option<Notice> {
        let (kind, id, rfq, event_type) = match action {
            Action::Request(action) => {
                let named = self.trips.get(&action.trip)?.named;
                return Some(Notice {
                    kind: "rfqs",
                    id: action.rfq.clone(),
                    trip: named.then(|| action.trip.clone()),
                    event_type: "TripRequestMine",
                });
            }
            Action::Lift(action) => ("rfqs", &action.rfq, &action.rfq, "TripRequestMine"),
            Action::Cancel(action) => ("rfqs", &action.rfq, &action.rfq, "TripRequestMine"),
            Action::Quote(action) => ("tripmsgs", &action.message, &action.rfq, "TripRequestSellerResponse"),
            Action::Decline(action) => ("tripmsgs", &action.message, &action.rfq, "TripRequestSellerResponse"),
            Action::Price(action) => {
                let quote = self.quotes.get(&action.quote)?;
                (
                    "tripmsgs",
                    quote.message.as_ref()?,
                    &quote.rfq,
                    "TripRequestSellerResponse",
                )
            }
            Action::Chat(action) if is_of_the_buyer(&action.message) => {
                ("tripmsgs", &action.message, &action.rfq, "TripChatMine")
            }
            Action::Chat(action) => ("tripmsgs", &action.message, &action.rfq, "TripChatFromSeller"),
        };
        let trip = &self.rfqs.get(rfq)?.trip;
        let named = self.trips.get(trip)?.named;
        Some(Notice {
            kind,
            id: id.clone(),
            trip: named.then(|| trip.clone()),
            event_type,
        })
    }

    fn change(&mut self, action: &Action, at: DateTime<Utc>) -> Option<()> {
        let stamps = Stamps {
            created: at,
            updated: at,
        };
        match action {
            Action::Request(action) => {
                let lift = self.lift(&action.rfq, stamps);
                let rfq = Rfq {
                    trip: action.trip.clone(),
                    operator: action.operator.clone(),
                    lifts: vec![lift],
                    canceled: false,
                    stamps,
                };
                self.rfqs.insert(action.rfq.clone(), rfq);
                self.trips.get_mut(&action.trip)?.rfqs.push(action.rfq.clone());
            }
            Action::Lift(action) => {
                let lift = self.lift(&action.rfq, stamps);
                self.rfq(&action.rfq, at)?.lifts.push(lift);
            }
            Action::Quote(action) => {
                let lift = self
                    .rfq(&action.rfq, at)?
                    .lifts
                    .iter_mut()
                    .find(|lift| lift.quote.is_none())?;
                lift.answer = Answer::Accepted;
                lift.quote = Some(action.quote.clone());
                let quote = Quote {
                    rfq: action.rfq.clone(),
                    price: action.price,
                    currency: action.currency.clone(),
                    message: Some(action.message.clone()),
                    stamps,
                };
                self.quotes.insert(action.quote.clone(), quote);
                self.say(
                    &action.message,
                    &action.rfq,
                    Brings::Quote(action.quote.clone()),
                    stamps,
                );
            }
            Action::Price(action) => {
                let quote = self.quotes.get_mut(&action.quote)?;
                quote.price = action.price;
                quote.stamps.updated = at;
                let (rfq, message) = (quote.rfq.clone(), quote.message.clone()?);
                self.messages.get_mut(&message)?.stamps.updated = at;
                let lifts = &mut self.rfq(&rfq, at)?.lifts;
                lifts
                    .iter_mut()
                    .find(|lift| lift.quote.as_ref() == Some(&action.quote))?
                    .answer = Answer::Accepted;
            }
            Action::Decline(action) => {
                for lift in &mut self.rfq(&action.rfq, at)?.lifts {
                    lift.answer = Answer::Declined;
                }
                self.say(
                    &action.message,
                    &action.rfq,
                    Brings::Decline(action.reason.clone()),
                    stamps,
                );
            }
            Action::Chat(action) => {
                self.say(&action.message, &action.rfq, Brings::Text(action.text.clone()), stamps);
            }
            Action::Cancel(action) => self.rfq(&action.rfq, at)?.canceled = true,
        }
        Some(())
    }

    fn rfq(&mut self, rfq: &str, at: DateTime<Utc>) -> Option<&mut Rfq> {
        let rfq = self.rfqs.get_mut(rfq)?;
        rfq.stamps.updated = at;
        Some(rfq)
    }

    /// A new aircraft. Every other one has two automatic prices: linked quotes that nobody quoted.
    fn lift(&mut self, rfq: &str, stamps: Stamps) -> Lift {
        self.lifts += 1;
        let number = self.lifts;
        let made = if number.is_multiple_of(2) { 0..0 } else { 0..2 };
        let automatic = made.map(|each| format!("aquote-{}", 910_000_000 + number * 2 + each));
        let automatic: Vec<String> = automatic.collect();
        for id in &automatic {
            let quote = Quote {
                rfq: rfq.to_owned(),
                price: Decimal::new(999_900, 2),
                currency: "USD".to_owned(),
                message: None,
                stamps,
            };
            self.quotes.insert(id.clone(), quote);
        }
        Lift {
            id: format!("asellerlift-{}", 4_000_000 + number),
            answer: Answer::Unanswered,
            quote: None,
            automatic,
        }
    }

    fn say(&mut self, id: &str, rfq: &str, brings: Brings, stamps: Stamps) {
        let rfq = rfq.to_owned();
        self.messages.insert(id.to_owned(), Message { rfq, brings, stamps });
    }
}

#[cfg(test)]
mod tests;
