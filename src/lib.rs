//! `avinode-ingest` receives Avinode's webhooks, keeps every one durably in Postgres before it answers, and brings
//! a charter broker's chat sessions up to date.
#![forbid(unsafe_code)]

pub mod avinode;
pub mod cli;
pub mod clock;
pub mod config;
pub mod domain;
pub mod shutdown;
pub mod telemetry;
