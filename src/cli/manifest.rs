//! The manifest of the fixtures: the sessions of each scenario, before and after.
//!
//! Unknown fields are refused: a misspelt expectation would never be compared.

use std::path::Path;

use serde::Deserialize;

use super::fixtures::{FixtureError, MANIFEST};

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixtureManifest {
    pub scenarios: Vec<FixtureScenario>,
}

/// A directory of fixtures.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixtureScenario {
    /// The directory's name.
    pub folder: String,
    /// One sentence or two.
    pub about: String,
    /// The same in one line of the demo.
    pub sentence: String,
    /// The sessions before anything is sent.
    pub sessions: Vec<Session>,
    /// Writes of the application after everything was sent.
    #[serde(default)]
    pub afterwards: Vec<FollowUpAction>,
    pub expect: Expectation,
    /// Replaces `expect` where Avinode's API answers for the resources of the scenario.
    #[serde(default)]
    pub once_fetched: Option<Expectation>,
}

/// A session before anything is sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Its name in the manifest.
    pub name: String,
    /// In any spelling; `None` for a session that gets its trip id afterwards.
    pub trip_id: Option<String>,
    /// Quotes can be projected only for a session with a request.
    pub has_request: bool,
    pub status: String,
    pub current_step: String,
    pub quotes_received_count: i32,
    pub quotes_expected_count: i32,
    pub operators_contacted_count: i32,
}

/// Writes a trip id to a session, as the application does.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowUpAction {
    /// The session's name.
    pub session: String,
    pub set_trip_id: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    pub sessions: Vec<ExpectedSession>,
    /// Jobs of the scenario that wait to be fetched.
    pub waiting: u64,
    /// Dead jobs of the scenario.
    pub dead: u64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedSession {
    /// Its name in the manifest.
    pub name: String,
    pub current_step: String,
    pub quotes_received_count: i32,
    pub quotes_expected_count: i32,
    pub operators_contacted_count: i32,
    /// Avinode's id of the quote.
    pub primary_quote: Option<String>,
    pub primary_operator: Option<String>,
    /// With its currency.
    pub primary_price: Option<String>,
    /// The status in `workflow_state`: `updated`, `cancelled` or `expired`.
    pub avinode_trip_status: Option<String>,
}

impl FixtureManifest {
    /// Reads the manifest of a directory of fixtures.
    pub fn read(folder: &Path) -> Result<Self, FixtureError> {
        let path = folder.join(MANIFEST);
        let text = std::fs::read(&path).map_err(FixtureError::read(&path))?;
        serde_json::from_slice(&text).map_err(|source| FixtureError::Manifest { path, source })
    }
}

#[cfg(test)]
mod tests;
