//! The door: HTTP in, and answers out. The only module that names axum.
//!
//! [`webhook`] is the way of a delivery up to where it is durable; [`server`] drives the connections, with limits
//! on everything that a stranger can hold on to: connections, headers, bodies, memory, time and lines of the log.

pub mod body;
pub mod connection;
pub mod health;
pub mod memory_budget;
pub mod openapi;
pub mod problem;
pub mod readiness;
pub mod rejection_log;
pub mod router;
pub mod server;
pub mod state;
pub mod stored_headers;
pub mod v1;
pub mod webhook;
pub mod write_timeout;

#[cfg(test)]
mod tests;
