//! Jobs and workers: leases, failures, and jobs that harm others.

mod bounded;
mod claims;
mod completion;
mod concurrent_claims;
mod leases;
mod overdue;
mod poison_isolation;
mod process_leases;
mod self_termination;
mod taken_over;
mod turns;
mod undone_completions;
mod workers;
