//! The integration tests: one binary, a database per test on one embedded cluster per run.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod aliases;
mod api;
mod application;
mod attached;
mod attached_quotes;
mod callers;
mod check;
mod client;
mod crash;
mod deadlock;
mod ends_by_itself;
mod fetching;
mod hostile;
mod house;
mod leases;
mod migrating;
mod moments;
mod neighbours;
mod order;
mod own_role;
mod pins;
mod pooler;
mod races;
mod replay;
mod rfqs;
mod sessions;
mod settings;
mod simulated;
mod story;
mod support;
mod transactions;
mod trip_ids;
mod workers;
mod writers;
