//! Faults of the simulated API, drawn by seed: a read of a resource may fail in several ways, but not for ever.

use std::collections::HashMap;
use std::time::Duration;

use super::seeded_random::{below, chance};

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ApiFaults {
    /// The share of reads that fail, from 0 to 1.
    pub faults: f64,
    /// The most reads of one resource that fail in a row.
    pub in_a_row: u32,
    /// The time before a connection without an answer is closed.
    pub silence: Duration,
    /// The share of changes that the API shows late, from 0 to 1.
    pub late: f64,
    /// Until this time has passed, a late change is not shown: a resource is missing, or as it was before. Of several changes the
    /// last ones may be late.
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

/// A fault of one resource, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastingFault {
    /// An answer with this status.
    Status(u16),
    /// No answer for [`ApiFaults::silence`], then the connection is closed.
    Silence,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiFault {
    /// No answer for [`ApiFaults::silence`], then the connection is closed.
    Silence,
    /// Half an answer.
    CutOff,
    /// 429, although the caller kept the limit.
    TooManyRequests,
    /// 500.
    Internal,
    /// 503.
    Unavailable,
    /// 200 with an error in `meta.errors`.
    ErrorInEnvelope,
}

impl ApiFault {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Silence => "silence",
            Self::CutOff => "cut off",
            Self::TooManyRequests => "429 below the limit",
            Self::Internal => "500",
            Self::Unavailable => "503",
            Self::ErrorInEnvelope => "200 with an error",
        }
    }
}

/// Draws the faults of each resource, read by read.
#[derive(Debug, Default)]
pub struct FaultPlan {
    /// By resource: its reads so far, and the number of failures since the last success.
    reads: HashMap<String, (u64, u32)>,
}

impl FaultPlan {
    /// Returns the fault of the next read of this resource, if it is to fail. The n-th read of a resource has the same result
    /// in every run with this seed.
    pub fn next(&mut self, seed: u64, id: &str, faults: &ApiFaults) -> Option<ApiFault> {
        let (reads, failures) = self.reads.entry(id.to_owned()).or_default();
        let number = *reads;
        *reads += 1;
        if *failures >= faults.in_a_row || !chance(faults.faults, seed, &["fault", id], number) {
            *failures = 0;
            return None;
        }
        *failures += 1;
        // Silence takes the most time of its caller, so it is one in ten.
        Some(match below(10, seed, &["kind", id], number) {
            0 => ApiFault::Silence,
            1 => ApiFault::CutOff,
            2 | 3 => ApiFault::TooManyRequests,
            4 | 5 => ApiFault::Internal,
            6 | 7 => ApiFault::Unavailable,
            _ => ApiFault::ErrorInEnvelope,
        })
    }
}

/// Returns whether the API shows this change of a resource late.
pub fn is_late(seed: u64, id: &str, change: u64, faults: &ApiFaults) -> bool {
    chance(faults.late, seed, &["late", id], change)
}

#[cfg(test)]
mod tests;
