//! What goes wrong at Avinode, by seed: each read of a resource may fail, in one of several ways, but never for ever.

use std::collections::HashMap;
use std::time::Duration;

use super::seeded_random::{below, share};

/// How often things go wrong, and how badly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ApiFaults {
    /// The share of reads that fail, from 0 to 1.
    pub faults: f64,
    /// At most so many reads of one resource fail in a row.
    pub in_a_row: u32,
    /// How long a read that is not answered is held, on the wall's clock.
    pub silence: Duration,
    /// The share of changes that the API does not show at once, from 0 to 1.
    pub late: f64,
    /// For how long it does not show them, on the wall's clock: a new resource is 404, an old one is as it was.
    pub lateness: Duration,
}

impl Default for ApiFaults {
    fn default() -> Self {
        Self {
            faults: 0.0,
            in_a_row: 3,
            silence: Duration::from_secs(40),
            late: 0.0,
            lateness: Duration::from_millis(500),
        }
    }
}

/// One way in which a read fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiFault {
    /// No answer for a long while, then the connection ends.
    Silence,
    /// The answer ends in its middle.
    CutOff,
    /// 429, though the limit was kept.
    TooMany,
    /// 500.
    Internal,
    /// 503.
    Unavailable,
    /// 200 with an error in `meta.errors`.
    Soft,
}

impl ApiFault {
    /// The word for the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::CutOff => "cut off",
            Self::TooMany => "429 out of turn",
            Self::Internal => "500",
            Self::Unavailable => "503",
            Self::Soft => "200 with an error",
        }
    }
}

/// Draws the faults of each resource, read by read.
#[derive(Debug, Default)]
pub struct FaultPlan {
    /// Reads so far, and how many of the last ones failed in a row.
    reads: HashMap<String, (u64, u32)>,
}

impl FaultPlan {
    /// The fault of the next read of this resource, if it is to fail.
    ///
    /// The same n-th read of a resource has the same fate in every run with this seed.
    pub fn next(&mut self, seed: u64, id: &str, trouble: &ApiFaults) -> Option<ApiFault> {
        let (reads, in_a_row) = self.reads.entry(id.to_owned()).or_default();
        let number = *reads;
        *reads += 1;
        if *in_a_row >= trouble.in_a_row || share(seed, &["fault", id], number) >= trouble.faults {
            *in_a_row = 0;
            return None;
        }
        *in_a_row += 1;
        // A silence costs its reader the most time: one in ten.
        Some(match below(10, seed, &["kind", id], number) {
            0 => ApiFault::Silence,
            1 => ApiFault::CutOff,
            2 | 3 => ApiFault::TooMany,
            4 | 5 => ApiFault::Internal,
            6 | 7 => ApiFault::Unavailable,
            _ => ApiFault::Soft,
        })
    }
}

/// Whether this change of a resource is shown late.
pub fn is_late(seed: u64, id: &str, change: u64, trouble: &ApiFaults) -> bool {
    share(seed, &["late", id], change) < trouble.late
}

#[cfg(test)]
mod tests;
