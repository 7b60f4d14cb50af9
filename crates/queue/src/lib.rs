//! The job queue: leases in a small table, claimed in batches, fenced by a lease token. It knows nothing of what jobs do.
//!
//! No row lock is held while a handler works; a process that died is noticed when its own lease runs out, and a worker that hangs
//! when the leases of its jobs do.

pub mod admin;
pub mod admin_actions;
pub mod bounded;
pub mod census;
pub mod claim;
pub mod claim_by_key;
pub mod claim_by_kind;
pub mod coalesced;
pub mod dead_jobs;
pub mod disposition;
pub mod enqueue;
pub mod finished;
pub mod handler;
pub mod heartbeat;
pub mod job;
pub mod job_kind;
pub mod job_state;
pub mod leader;
mod lease;
pub mod listener;
pub mod outcomes;
pub mod overdue;
pub mod process_identity;
pub mod process_lease;
pub mod rate_limit;
pub mod release;
pub mod retry;
mod running_claims;
pub mod runs;
pub mod settle;
pub mod shared_counter;
pub mod worker;
