//! A fact's version as three columns: `fact_at`, `fact_source`, `fact_digest`.

use chrono::{DateTime, Utc};

use crate::domain::event::{FactSource, FactVersion};

/// The number of a source in the database; a higher one ranks higher.
pub fn source_number(source: FactSource) -> i16 {
    match source {
        FactSource::Event => 0,
        FactSource::Document => 1,
    }
}

/// A version read back. A row without a source has none.
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

/// The bytes of a digest; what is missing is zero.
pub fn digest(kept: &[u8]) -> [u8; 32] {
    let mut bytes = [0; 32];
    let length = kept.len().min(32);
    bytes[..length].copy_from_slice(&kept[..length]);
    bytes
}
