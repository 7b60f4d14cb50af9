//! The queue: leases in a small table, claimed in batches, fenced by token. It knows nothing of what jobs are about.
//!
//! A job is *available*, *running* (leased), *waiting* (to be retried) or *dead*. Nothing holds a row lock while a
//! handler works; a worker that died is noticed when its lease runs out.

pub mod enqueue;
pub mod grouped;
pub mod job;
mod lease;
pub mod limit;
pub mod limiter;
pub mod listener;
pub mod maintenance;
pub mod operate;
pub mod paced;
pub mod remedy;
pub mod retry;
pub mod settle;
pub mod standing;
pub mod store;
pub mod worker;
