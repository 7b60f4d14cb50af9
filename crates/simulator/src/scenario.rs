//! A scenario: trips, and the actions of buyer and operators in order of time. Written as JSON, or generated.
//!
//! Unknown fields are errors: an action with a misspelt field would otherwise silently not happen.

pub mod trip;

use serde::Deserialize;

use self::trip::ScenarioTrip;
use super::action::Action;
use super::generate::GeneratorOptions;

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
    /// A link, beside those of automatic prices: each linked quote must be fetched.
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
    /// Returns the second of the last action.
    pub fn length(&self) -> u64 {
        self.actions.last().map_or(0, Action::at)
    }

    pub fn operator_actions(&self) -> usize {
        self.actions.iter().filter(|action| action.is_by_operator()).count()
    }
}

#[cfg(test)]
mod tests;
