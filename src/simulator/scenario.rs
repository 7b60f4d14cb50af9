//! What happens at Avinode: trips, and what buyer and operators do, in order of time. Written as JSON, or generated.
//!
//! Unknown fields are refused: a misspelt action would otherwise silently not happen.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::action::{Action, ChatAction, DeclineAction};
use super::generate::{self, GeneratorOptions};

/// A story, complete and checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What it shows, in a sentence.
    #[serde(default)]
    pub about: String,
    /// Where chance begins; `--seed` wins.
    #[serde(default)]
    pub seed: u64,
    /// Whether documents say when they were last changed (`updatedOn`), beside `createdOn`. Only the latter has been seen
    /// in Avinode's answers; without the former, what is newer is told by the moment of the fetch alone.
    #[serde(default)]
    pub updated_on: bool,
    /// What an answered lift of an RFQ shows of its quote.
    #[serde(default)]
    pub latest_quote: LatestQuote,
    /// Invents trips and actions beside those that are written here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generate: Option<GeneratorOptions>,
    /// The trips.
    #[serde(default)]
    pub trips: Vec<ScenarioTrip>,
    /// What happens, the earliest first.
    #[serde(default)]
    pub actions: Vec<Action>,
}

/// What an answered lift of an RFQ shows of its quote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LatestQuote {
    /// `latestQuote` with id and price.
    #[default]
    Whole,
    /// `latestQuote` with its id only: the price is to be fetched.
    Id,
    /// Only a link: the lift's one quote.
    Link,
}

/// A trip, which nobody has asked for yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioTrip {
    /// Its short id, for example `S1MVL8`; actions name it by this.
    pub short: String,
    /// Its resource id, for example `atrip-70000001`.
    pub id: String,
    /// How each chat session of it writes its trip id, in any spelling.
    #[serde(default)]
    pub sessions: Vec<String>,
    /// Whether its notifications carry `tripId`.
    #[serde(default = "yes")]
    pub named: bool,
}

fn yes() -> bool {
    true
}

/// Why a text is not a scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// Not JSON, or not of this shape.
    #[error("it is not a scenario")]
    Shape(#[from] serde_json::Error),
    /// An action that cannot happen.
    #[error("action {number} {why}")]
    Action {
        /// Counted from 1.
        number: usize,
        /// Why.
        why: String,
    },
    /// A trip twice.
    #[error("the trip {0} is there twice")]
    TripTwice(String),
}

impl Scenario {
    /// Reads a scenario, generates what it asks for and checks that it can happen.
    pub fn read(text: &[u8], seed: Option<u64>) -> Result<Self, ScenarioError> {
        let mut scenario: Self = serde_json::from_slice(text)?;
        scenario.seed = seed.unwrap_or(scenario.seed);
        scenario.complete()
    }

    /// A generated story, in which documents say when they were changed.
    pub fn invented(wanted: GeneratorOptions, seed: u64) -> Result<Self, ScenarioError> {
        let scenario = Self {
            about: "Invented.".to_owned(),
            seed,
            updated_on: true,
            latest_quote: LatestQuote::default(),
            generate: Some(wanted),
            trips: Vec::new(),
            actions: Vec::new(),
        };
        scenario.complete()
    }

    /// Generates what it asks for and checks that it can happen.
    pub fn complete(mut self) -> Result<Self, ScenarioError> {
        if let Some(wanted) = self.generate.take() {
            let (trips, actions) = generate::story(&wanted, self.seed);
            self.trips.extend(trips);
            self.actions.extend(actions);
            self.actions.sort_by_key(Action::at);
        }
        self.check()?;
        Ok(self)
    }

    /// The second of the last action.
    pub fn length(&self) -> u64 {
        self.actions.last().map_or(0, Action::at)
    }

    /// What an operator did, how often.
    pub fn operator_actions(&self) -> usize {
        self.actions.iter().filter(|action| action.is_of_an_operator()).count()
    }

    fn check(&self) -> Result<(), ScenarioError> {
        let mut ids = BTreeSet::new();
        for trip in &self.trips {
            if !ids.insert(&trip.short) || !ids.insert(&trip.id) {
                return Err(ScenarioError::TripTwice(trip.short.clone()));
            }
        }
        let mut cast = Cast::default();
        for trip in &self.trips {
            cast.trips.insert(trip.short.clone(), None);
        }
        let mut last = 0;
        for (index, action) in self.actions.iter().enumerate() {
            let wrong = |why: String| ScenarioError::Action { number: index + 1, why };
            if action.at() < last {
                return Err(wrong(format!(
                    "comes after one of second {last}, and is of second {}",
                    action.at()
                )));
            }
            last = action.at();
            cast.enter(action).map_err(wrong)?;
        }
        Ok(())
    }
}

/// Who is there so far, for the check.
#[derive(Default)]
struct Cast {
    /// The second of each trip's last action.
    trips: BTreeMap<String, Option<u64>>,
    /// The trip of each RFQ, and its lifts without a quote.
    rfqs: BTreeMap<String, (String, usize)>,
    /// The RFQ of each quote.
    quotes: BTreeMap<String, String>,
    messages: BTreeSet<String>,
}

impl Cast {
    fn enter(&mut self, action: &Action) -> Result<(), String> {
        let new = |fresh: bool, id: &str| {
            if fresh {
                Ok(())
            } else {
                Err(format!("makes {id} a second time"))
            }
        };
        let trip = match action {
            Action::Request(action) => {
                let lifts = (action.trip.clone(), 1);
                new(self.rfqs.insert(action.rfq.clone(), lifts).is_none(), &action.rfq)?;
                action.trip.clone()
            }
            Action::Lift(action) => {
                self.rfq(&action.rfq)?.1 += 1;
                self.rfq(&action.rfq)?.0.clone()
            }
            Action::Quote(action) => {
                let (trip, open) = self.rfq(&action.rfq)?;
                *open = open
                    .checked_sub(1)
                    .ok_or("quotes for an RFQ that has no lift without a quote")?;
                let trip = trip.clone();
                new(
                    self.quotes.insert(action.quote.clone(), action.rfq.clone()).is_none(),
                    &action.quote,
                )?;
                new(self.messages.insert(action.message.clone()), &action.message)?;
                trip
            }
            Action::Price(action) => {
                let rfq = self
                    .quotes
                    .get(&action.quote)
                    .ok_or_else(|| unknown(&action.quote))?
                    .clone();
                self.rfq(&rfq)?.0.clone()
            }
            Action::Decline(DeclineAction { rfq, message, .. }) | Action::Chat(ChatAction { rfq, message, .. }) => {
                new(self.messages.insert(message.clone()), message)?;
                self.rfq(rfq)?.0.clone()
            }
            Action::Cancel(action) => self.rfq(&action.rfq)?.0.clone(),
        };
        let last = self.trips.get_mut(&trip).ok_or_else(|| unknown(&trip))?;
        if *last >= Some(action.at()) {
            return Err(format!("is of the same second as another one of its trip, {trip}"));
        }
        *last = Some(action.at());
        Ok(())
    }

    fn rfq(&mut self, rfq: &str) -> Result<&mut (String, usize), String> {
        self.rfqs.get_mut(rfq).ok_or_else(|| unknown(rfq))
    }
}

fn unknown(id: &str) -> String {
    format!("names {id}, which is not there yet")
}

#[cfg(test)]
mod tests;
