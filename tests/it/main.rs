//! The integration tests: one binary, one cluster per run, a database per test.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod alerts;
mod api;
mod applying;
mod architecture_rules;
mod attached;
mod bulk;
mod chaos;
mod cli;
mod client;
mod console;
mod crash;
mod database;
mod events;
mod failover;
mod faults;
mod fetching;
mod log_lines;
mod matching;
mod monitoring;
#[cfg(feature = "otlp")]
mod otlp;
mod privacy;
mod queue;
mod reading;
mod receiving;
mod sessions;
mod simulated;
mod smoke;
mod storage;
mod support;
mod upgrade;
mod webhooks;
