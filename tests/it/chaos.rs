//! Random faults under load: processes are killed and stalled, Postgres crashes, connections are cut, delayed or swallowed, tables
//! are locked. Every answer 200 is held against the database, and every session against a model that knows only what was sent.
//!
//! `CHAOS_SEED` chooses the faults and the events, `CHAOS_FAULTS` is the number of faults (`make chaos` runs a hundred).

mod deployment;
mod fault;
mod model;
mod rounds;
pub mod senders;
pub mod truth;
pub mod waits;
