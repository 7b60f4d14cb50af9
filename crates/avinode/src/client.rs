//! The client of Avinode's API: the only egress of `serve`, and the only module below the command line with I/O to the
//! outside.
//!
//! The URL in a notification may come from an attacker, so it is never followed: a URL is built from the configured
//! [`base_url`] and a checked id, and the notification's URL is only compared with it. Host names are resolved through
//! [`dns_guard`], which refuses addresses that [`public_ip`] does not call public. `transport` limits the time and size of a
//! call, follows no redirect and uses no proxy. [`envelope`] and [`error`] parse the result.

pub mod avinode_client;
pub mod base_url;
pub mod config;
pub mod dns_guard;
pub mod envelope;
pub mod error;
mod headers;
pub mod public_ip;
pub mod query_parameters;
pub mod rate_limit_headers;
mod transport;
pub mod webhook_settings;
