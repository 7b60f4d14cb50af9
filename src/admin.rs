//! Actions of admins: on given jobs and deliveries, and on many that a filter selects. Each is recorded in the audit log by the
//! transaction of its change.

pub mod actions;
pub mod batches;
pub mod export;
pub mod preview;
pub mod selection;
