//! The fixtures' manifest: the sessions of each scenario, and what they must look like when all is done.
//!
//! Unknown fields are refused: a misspelt expectation would otherwise never be checked.

use std::path::Path;

use serde::Deserialize;

use super::fixtures::FixtureError;

/// The file's name in the folder of the fixtures.
pub const MANIFEST: &str = "manifest.json";

/// All scenarios.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixtureManifest {
    /// In the order in which they are told.
    pub scenarios: Vec<FixtureScenario>,
}

/// One scenario: a folder of fixtures.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixtureScenario {
    /// The folder's name, within the folder of the fixtures.
    pub folder: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// The sessions before anything is sent.
    pub sessions: Vec<Session>,
    /// What happens to the sessions after everything was sent.
    #[serde(default)]
    pub afterwards: Vec<FollowUpAction>,
    /// What must be found in the end.
    pub expect: Expectation,
    /// The same where Avinode's API answers for the scenario's resources, if that makes a difference.
    #[serde(default)]
    pub once_fetched: Option<Expectation>,
}

/// A session before anything is sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Its name in this manifest.
    pub name: String,
    /// The trip it is about, in any spelling; none for a session that gets one afterwards.
    pub trip_id: Option<String>,
    /// Whether it belongs to a request, so that quotes can be projected for it.
    pub has_request: bool,
    /// Its status, for example `active`.
    pub status: String,
    /// Its step, for example `searching_aircraft`.
    pub current_step: String,
    /// Quotes received so far.
    pub quotes_received_count: i32,
    /// Quotes expected.
    pub quotes_expected_count: i32,
    /// Operators contacted.
    pub operators_contacted_count: i32,
}

/// What the application does to a session after everything was sent.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowUpAction {
    /// The session's name.
    pub session: String,
    /// The trip id that is written to it.
    pub set_trip_id: String,
}

/// What must be found in the end.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectation {
    /// The sessions.
    pub sessions: Vec<ExpectedSession>,
    /// Jobs of this scenario that wait.
    pub waiting: u64,
    /// Jobs of this scenario that are dead.
    pub dead: u64,
}

/// A session in the end.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedSession {
    /// Its name in this manifest.
    pub name: String,
    /// Its step.
    pub current_step: String,
    /// Quotes received.
    pub quotes_received_count: i32,
    /// Quotes expected.
    pub quotes_expected_count: i32,
    /// Operators contacted.
    pub operators_contacted_count: i32,
    /// The primary quote's id at Avinode.
    pub primary_quote: Option<String>,
    /// Who made it.
    pub primary_operator: Option<String>,
    /// Its price, as decimal text.
    pub primary_price: Option<String>,
    /// What `workflow_state` tells of the trip: `updated`, `cancelled` or `expired`.
    pub avinode_trip_status: Option<String>,
}

impl FixtureManifest {
    /// Reads the manifest of a folder of fixtures.
    pub fn read(folder: &Path) -> Result<Self, FixtureError> {
        let path = folder.join(MANIFEST);
        let text = std::fs::read(&path).map_err(|source| FixtureError::Read {
            path: path.clone(),
            source,
        })?;
        serde_json::from_slice(&text).map_err(|source| FixtureError::Manifest { path, source })
    }
}

#[cfg(test)]
mod tests;
