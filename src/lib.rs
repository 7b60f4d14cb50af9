//! `avinode-ingest` receives Avinode's webhooks, stores each one durably in Postgres before it answers, and updates a charter
//! broker's chat sessions.
//!
//! # Layout
//! Imports point down only: [`cli`], [`service`] → [`http`] → [`admin`], [`sessions`], and [`admin`] → [`jobs`] → [`ingest`] → [`queue`], [`store`],
//! [`avinode`] → [`domain`]. `queue`, `store` and `avinode` do not import one another. [`simulator`] plays Avinode for demos and
//! tests, and shares no rule with the service.
//!
//! # The way of a delivery
//! 1. verify: [`avinode::signature`] checks bytes, headers and time before any JSON is parsed
//! 2. parse: [`avinode::notification`] reads only what the queue needs
//! 3. receive: [`ingest::group_commit`] stores many deliveries and their jobs in one commit, then answers 200
//! 4. claim: [`queue::claim`] leases a batch of jobs
//! 5. load, decide, apply: [`jobs::apply`] runs one fenced transaction around the pure [`domain::decide`]
#![forbid(unsafe_code)]

pub use ingest_avinode as avinode;
pub use ingest_domain as domain;
pub use ingest_domain::clock;
pub use ingest_postgres as postgres;
pub use ingest_queue as queue;
pub use ingest_queue::heartbeat;
pub use ingest_simulator as simulator;

pub mod activity_log;
pub mod admin;
pub mod alerts;
pub mod cli;
pub mod config;
pub mod http;
pub mod ingest;
pub mod jobs;
pub mod notify;
pub mod service;
pub mod sessions;
pub mod shutdown;
pub mod stderr;
pub mod store;
pub mod telemetry;
pub mod trace_context;
