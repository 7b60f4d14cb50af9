//! A fact's version in the columns `*_at`, `*_seen_at`, `*_source` and `*_digest`, and the facts of which the newest counts.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::domain::event::{FactSource, FactVersion};
use crate::domain::newest_fact::NewestFact;

/// The columns of a version.
#[derive(Debug, Default)]
pub struct VersionColumns {
    pub at: Option<DateTime<Utc>>,
    pub seen_at: Option<DateTime<Utc>>,
    pub source: Option<i16>,
    pub digest: Option<Vec<u8>>,
}

impl VersionColumns {
    /// The version in a row; `None` for a row without a source.
    pub fn read(self) -> Option<FactVersion> {
        let source = match self.source? {
            0 => FactSource::Event,
            _ => FactSource::Document,
        };
        Some(FactVersion {
            at: self.at,
            // Rows from before the column are as old as their fact says.
            seen_at: self.seen_at.or(self.at).unwrap_or(DateTime::UNIX_EPOCH),
            source,
            digest: digest(&self.digest.unwrap_or_default()),
        })
    }
}

/// The facts in a row: all of them if the column is not null, else the newest.
pub fn read_newest<T: DeserializeOwned + Clone>(all: Option<Value>, newest: Option<(FactVersion, T)>) -> NewestFact<T> {
    let all = all.and_then(|facts| {
        serde_json::from_value(facts)
            .inspect_err(|error| tracing::error!("cannot read stored facts, using the newest alone: {error}"))
            .ok()
    });
    all.or_else(|| newest.map(|(version, value)| NewestFact::of(version, value)))
        .unwrap_or_default()
}

/// The value of the column; `None` if the newest fact is all that is known.
pub fn write_newest<T: Serialize + Clone>(facts: &NewestFact<T>) -> Option<Value> {
    // Cannot fail: all keys are strings and all numbers finite.
    (!facts.is_single()).then(|| serde_json::to_value(facts).ok()).flatten()
}

/// The bytes of a digest; missing bytes are zero.
fn digest(stored: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let length = stored.len().min(32);
    bytes[..length].copy_from_slice(&stored[..length]);
    bytes
}
