//! The deletion of old rows in steps: each is a transaction of its own over a bounded number of rows, found by an index.

use chrono::{DateTime, Utc};

/// The rows that one step deletes at most.
pub const ROWS_PER_STEP: i64 = 2_000;

/// The result of one step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PruneStep {
    /// The old rows that the step found. Fewer than [`ROWS_PER_STEP`]: there are no more.
    pub rows: i64,
    /// The time of the newest of them. The next step begins there, because the index still has the entries of the rows before,
    /// and a long transaction may keep them for hours.
    pub until: Option<DateTime<Utc>>,
}

impl PruneStep {
    /// Returns true if there are no more old rows.
    pub fn is_last(&self) -> bool {
        self.rows < ROWS_PER_STEP
    }
}
