//! A fact's version in the columns `*_at`, `*_source` and `*_digest`, and a decline, which is one of the versioned facts.

use chrono::{DateTime, Utc};

use crate::domain::event::{FactSource, FactVersion};
use crate::domain::quote::DeclineFact;

/// The version in a row; `None` for a row without a source.
pub fn read(at: Option<DateTime<Utc>>, source: Option<i16>, digest: Option<Vec<u8>>) -> Option<FactVersion> {
    let source = match source? {
        0 => FactSource::Event,
        _ => FactSource::Document,
    };
    Some(FactVersion {
        at,
        source,
        digest: self::digest(&digest.unwrap_or_default()),
    })
}

/// The decline in a row; `None` for a row that is not declined.
pub fn read_decline(declined: bool, version: Option<FactVersion>, reason: Option<String>) -> Option<DeclineFact> {
    version
        .filter(|_| declined)
        .map(|version| DeclineFact { version, reason })
}

/// The bytes of a digest; missing bytes are zero.
fn digest(stored: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let length = stored.len().min(32);
    bytes[..length].copy_from_slice(&stored[..length]);
    bytes
}
