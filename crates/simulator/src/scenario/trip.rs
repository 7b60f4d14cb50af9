//! A trip of a scenario.

use serde::Deserialize;

/// The trip exists at Avinode once an RFQ for it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioTrip {
    /// The short id, for example `S1MVL8`; actions name the trip by it.
    pub short: String,
    /// The resource id, for example `atrip-70000001`.
    pub id: String,
    /// The trip id of each of its chat sessions, in any spelling.
    #[serde(default)]
    pub sessions: Vec<String>,
    /// Its notifications carry `tripId`.
    #[serde(default = "yes")]
    pub named: bool,
}

fn yes() -> bool {
    true
}
