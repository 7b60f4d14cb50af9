//! The HTTP server: the webhook endpoint, the health endpoints and the sessions API. Only this module and the simulator
//! import axum.
//!
//! [`webhook`] receives deliveries; [`v1`] is the sessions API; [`server`] accepts connections within [`limits`].

pub mod body;
pub mod client_address;
pub mod connection;
pub mod connection_state;
pub mod connection_table;
pub mod console;
pub mod head_scan;
pub mod health;
pub mod json_response;
pub mod limits;
pub mod log_limit;
pub mod metrics;
pub mod observed_stream;
pub mod openapi;
pub mod peer_bodies;
pub mod problem;
pub mod readiness;
pub mod rejection_log;
pub mod rejection_sample;
pub mod reloadable;
pub mod request_id;
pub mod router;
pub mod server;
pub mod state;
pub mod stored_headers;
pub mod v1;
pub mod webhook;
pub mod webhook_schema;

#[cfg(test)]
mod tests;
