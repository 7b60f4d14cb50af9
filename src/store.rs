//! SQL of deliveries, facts, sessions and timelines. It loads, locks and writes; what changes is decided in `domain`.
//!
//! Lock order, everywhere: jobs, trips, sessions (by id), facts, ledger. Multi-row writes are sorted by key.

pub mod deliveries;
mod details;
pub mod documents;
pub mod events;
pub mod facts;
pub mod inspect;
pub mod merge;
pub mod projection;
pub mod rfqs;
mod said;
pub mod seed;
pub mod sessions;
pub mod sweep;
pub mod timeline;
pub mod tracking;
pub mod trips;
pub mod unshown;
pub mod version;
pub mod whose;
pub mod writer;
