//! The result of a run of purge.

use std::collections::BTreeMap;

use uuid::Uuid;

/// The result of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PurgeReport {
    /// The id of the run in the audit log.
    pub run: Uuid,
    /// Redacted rows by table; of a dry run those that would be.
    pub rows: BTreeMap<&'static str, u64>,
    /// Deliveries that were left as they are, because a live job needs them.
    pub needed: u64,
    /// The run was stopped before its end.
    pub is_stopped: bool,
}

impl PurgeReport {
    /// True if the same run again may find more.
    pub fn is_unfinished(&self) -> bool {
        self.is_stopped || self.needed > 0
    }
}
