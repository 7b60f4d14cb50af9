//! `avinode-ingest` receives Avinode's webhooks, keeps every one durably in Postgres before it answers, and brings
//! a charter broker's chat sessions up to date.
#![forbid(unsafe_code)]

pub mod avinode;
pub mod clock;
pub mod domain;
pub mod heartbeat;
pub mod http;
pub mod ingest;
