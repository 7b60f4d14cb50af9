//! `avinode-ingest` receives Avinode's webhooks, keeps every one durably in Postgres before it answers, and brings
//! a charter broker's chat sessions up to date.
//!
//! # Layout
//! Imports run down only: [`cli`], [`service`] → [`http`] → [`sessions`], and [`jobs`] → [`ingest`] → [`queue`], [`store`],
//! [`avinode`] → [`domain`]. `queue`, `store` and `avinode` do not know one another. [`simulator`] stands beside all of them: it
//! plays Avinode, for demos and tests, and shares no rule with the service.
//!
//! # The way of a delivery
//! 1. verify: [`avinode::signature`], bytes and headers and the time, before any JSON is read
//! 2. parse: [`avinode::notification`], only as far as the queue needs
//! 3. receive: [`ingest::group_commit`], many deliveries and their jobs in one commit, then 200
//! 4. claim: [`queue::claim`], a batch under a lease
//! 5. load, decide, apply: [`jobs::apply`], one fenced transaction around the pure [`domain::decide`]
#![forbid(unsafe_code)]

pub mod activity_log;
pub mod avinode;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod heartbeat;
pub mod http;
pub mod ingest;
pub mod jobs;
pub mod postgres;
pub mod queue;
pub mod service;
pub mod sessions;
pub mod shutdown;
pub mod simulator;
pub mod store;
pub mod telemetry;
