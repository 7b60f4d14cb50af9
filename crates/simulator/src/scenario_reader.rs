//! Reads a scenario: parses or generates it, and tries its actions on a simulated world, which refuses impossible ones.

use std::collections::BTreeSet;

use chrono::DateTime;

use super::action::Action;
use super::generate::{GeneratorOptions, generate};
use super::scenario::{LatestQuote, Scenario, ScenarioError};
use super::world::SimulatedWorld;

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

    fn validate(&self) -> Result<(), ScenarioError> {
        let mut ids = BTreeSet::new();
        for trip in &self.trips {
            if !ids.insert(&trip.short) || !ids.insert(&trip.id) {
                return Err(ScenarioError::DuplicateTrip(trip.short.clone()));
            }
        }
        let mut world = SimulatedWorld::new(self);
        let mut last = 0;
        for (index, action) in self.actions.iter().enumerate() {
            let at = action.at();
            let tried = match at < last {
                true => Err(format!("is of second {at}, and comes after one of second {last}")),
                false => world.change(action, DateTime::UNIX_EPOCH),
            };
            last = at;
            tried.map_err(|reason| ScenarioError::Action {
                number: index + 1,
                reason,
            })?;
        }
        Ok(())
    }
}
