//! A fact's version as three columns: `fact_at`, `fact_source`, `fact_digest`.

use chrono::{DateTime, Utc};

use crate::domain::event::{Source, Version};

/// The number of a source in the database; a higher one ranks higher.
pub fn source_number(source: Source) -> i16 {
    match source {
        Source::Event => 0,
        Source::Document => 1,
    }
}

/// A version read back. A row without a source has none.
pub fn read(at: Option<DateTime<Utc>>, source: Option<i16>, digest: Option<Vec<u8>>) -> Option<Version> {
    let source = match source? {
        0 => Source::Event,
        _ => Source::Document,
    };
    let mut bytes = [0; 32];
    let digest = digest.unwrap_or_default();
    let length = digest.len().min(32);
    bytes[..length].copy_from_slice(&digest[..length]);
    Some(Version {
        at,
        source,
        digest: bytes,
    })
}
