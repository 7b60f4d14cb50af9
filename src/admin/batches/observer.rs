//! The view that a caller has of a running batch.

use crate::store::batches::BatchRow;

/// Watches a batch, and may stop it.
pub trait BatchObserver: Send + Sync {
    /// True before a step ends the run; the batch can be resumed.
    fn stops(&self) -> bool;
    /// After each step; `waits`: many jobs wait, and no step was made.
    fn stepped(&self, batch: &BatchRow, waits: bool);
}
