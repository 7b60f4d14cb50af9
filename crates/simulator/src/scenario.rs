//! A scenario: trips, and the actions of buyer and operators in order of time. Written as JSON, or generated.
//!
//! Unknown fields are errors: an action with a misspelt field would otherwise silently not happen.

pub mod trip;

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use self::trip::ScenarioTrip;
use super::action::Action;
use super::generate::{GeneratorOptions, generate};

/// A complete and valid scenario.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// A description for readers of the file.
    #[serde(default)]
    pub about: String,
    /// The seed of faults, duplicates and order; `--seed` overrides it.
    #[serde(default)]
    pub seed: u64,
    /// Documents have the time of their last change (`updatedOn`) in addition to `createdOn`. Only the latter has been seen in
    /// Avinode's answers; without the former, only the time of the fetch shows which of two versions is newer.
    #[serde(default)]
    pub updated_on: bool,
    #[serde(default)]
    pub latest_quote: LatestQuote,
    /// Generates trips and actions in addition to those of the file.
    #[serde(default)]
    pub generate: Option<GeneratorOptions>,
    #[serde(default)]
    pub trips: Vec<ScenarioTrip>,
    /// In order of time.
    #[serde(default)]
    pub actions: Vec<Action>,
}

/// The form in which an answered lift of an RFQ shows its quote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LatestQuote {
    /// `latestQuote` with id and price.
    #[default]
    Whole,
    /// `latestQuote` with its id only: the price must be fetched.
    Id,
    /// A link, the only one of the lift.
    Link,
}

#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    #[error("it is not a scenario")]
    Syntax(#[from] serde_json::Error),
    /// The action is impossible.
    #[error("action {number} {reason}")]
    Action {
        /// Counted from 1.
        number: usize,
        reason: String,
    },
    #[error("the trip {0} is defined twice")]
    DuplicateTrip(String),
}

impl Scenario {
    /// Parses a scenario, generates the actions that it asks for and validates it.
    pub fn read(text: &[u8], seed: Option<u64>) -> Result<Self, ScenarioError> {
        let mut scenario: Self = serde_json::from_slice(text)?;
        scenario.seed = seed.unwrap_or(scenario.seed);
        scenario.complete()
    }

    /// Generates a scenario in which documents have the time of their last change.
    pub fn generated(options: GeneratorOptions, seed: u64) -> Result<Self, ScenarioError> {
        let scenario = Self {
            about: "Generated.".to_owned(),
            seed,
            updated_on: true,
            latest_quote: LatestQuote::default(),
            generate: Some(options),
            trips: Vec::new(),
            actions: Vec::new(),
        };
        scenario.complete()
    }

    fn complete(mut self) -> Result<Self, ScenarioError> {
        if let Some(options) = self.generate.take() {
            let (trips, actions) = generate(&options, self.seed);
            self.trips.extend(trips);
            self.actions.extend(actions);
            self.actions.sort_by_key(Action::at);
        }
        self.validate()?;
        Ok(self)
    }

    /// Returns the second of the last action.
    pub fn length(&self) -> u64 {
        self.actions.last().map_or(0, Action::at)
    }

    pub fn operator_actions(&self) -> usize {
        self.actions.iter().filter(|action| action.is_by_operator()).count()
    }

    fn validate(&self) -> Result<(), ScenarioError> {
        let mut ids = BTreeSet::new();
        for trip in &self.trips {
            if !ids.insert(&trip.short) || !ids.insert(&trip.id) {
                return Err(ScenarioError::DuplicateTrip(trip.short.clone()));
            }
        }
        let mut known = KnownObjects {
            trips: self.trips.iter().map(|trip| (trip.short.as_str(), None)).collect(),
            ..KnownObjects::default()
        };
        let mut last = 0;
        for (index, action) in self.actions.iter().enumerate() {
            let number = index + 1;
            let invalid = |reason| ScenarioError::Action { number, reason };
            let at = action.at();
            if at < last {
                let reason = format!("is of second {at}, and comes after one of second {last}");
                return Err(invalid(reason));
            }
            last = at;
            known.add(action).map_err(invalid)?;
        }
        Ok(())
    }
}

/// The objects that exist after some actions, to validate the next one.
#[derive(Default)]
struct KnownObjects<'a> {
    /// The second of each trip's last action.
    trips: BTreeMap<&'a str, Option<u64>>,
    /// The trip of each RFQ, and the number of its lifts without a quote.
    rfqs: BTreeMap<&'a str, (&'a str, usize)>,
    /// The RFQ of each quote.
    quotes: BTreeMap<&'a str, &'a str>,
    messages: BTreeSet<&'a str>,
}

impl<'a> KnownObjects<'a> {
    fn add(&mut self, action: &'a Action) -> Result<(), String> {
        let require_new = |is_new: bool, id: &str| {
            if is_new {
                Ok(())
            } else {
                Err(format!("creates {id} a second time"))
            }
        };
        let trip = match action {
            Action::Rfq { trip, rfq, .. } => {
                require_new(self.rfqs.insert(rfq, (trip, 1)).is_none(), rfq)?;
                trip
            }
            Action::Lift { rfq, .. } => {
                let (trip, open) = self.rfq(rfq)?;
                *open += 1;
                *trip
            }
            Action::Quote {
                rfq, quote, message, ..
            } => {
                let (trip, open) = self.rfq(rfq)?;
                *open = open
                    .checked_sub(1)
                    .ok_or("quotes for an RFQ that has no lift without a quote")?;
                let trip = *trip;
                require_new(self.quotes.insert(quote, rfq).is_none(), quote)?;
                require_new(self.messages.insert(message), message)?;
                trip
            }
            Action::Price { quote, .. } => {
                let rfq = *self.quotes.get(quote.as_str()).ok_or_else(|| unknown(quote))?;
                self.rfq(rfq)?.0
            }
            Action::Decline { rfq, message, .. } | Action::Chat { rfq, message, .. } => {
                require_new(self.messages.insert(message), message)?;
                self.rfq(rfq)?.0
            }
            Action::Cancel { rfq, .. } => self.rfq(rfq)?.0,
        };
        let last = self.trips.get_mut(trip).ok_or_else(|| unknown(trip))?;
        if *last >= Some(action.at()) {
            return Err(format!("is of the same second as another action of its trip, {trip}"));
        }
        *last = Some(action.at());
        Ok(())
    }

    fn rfq(&mut self, rfq: &str) -> Result<&mut (&'a str, usize), String> {
        self.rfqs.get_mut(rfq).ok_or_else(|| unknown(rfq))
    }
}

fn unknown(id: &str) -> String {
    format!("names {id}, which does not exist yet")
}

#[cfg(test)]
mod tests;
