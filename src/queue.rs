//! The queue: leases in a small table, claimed in batches, fenced by token. It knows nothing of what jobs are about.
//!
//! A job is *available*, *running* (leased), *waiting* (to be retried) or *dead*. Nothing holds a row lock while a
//! handler works; a worker that died is noticed when its lease runs out.

pub mod admin;
pub mod claim;
pub mod claim_by_key;
pub mod disposition;
pub mod enqueue;
pub mod job;
pub mod job_state;
pub mod leader;
mod lease;
pub mod limit;
pub mod limiter;
pub mod listener;
pub mod rate_limited_worker;
pub mod release;
pub mod retry;
pub mod standing;
pub mod worker;
