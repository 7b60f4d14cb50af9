//! Jobs and workers: leases, failures, and jobs that harm others.

mod leases;
mod poison_isolation;
mod self_termination;
mod workers;
