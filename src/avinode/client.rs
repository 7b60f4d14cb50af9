//! The client of Avinode's API: the only egress of `serve`, and the one place below the command line that does I/O
//! towards the outside.
//!
//! A notification names a URL, and a stranger may have written it. So that URL is never followed: what is fetched is
//! built from the configured [`base_url`] and a checked id, and [`vouch`] only compares the two. Names are resolved through
//! [`dns_guard`], which refuses answers that [`public_ip`] does not call public. One `call` has an end in time and in
//! bytes, follows no redirect and knows no proxy. [`envelope`] and [`error`] say what came of it.

pub mod avinode_client;
pub mod base_url;
pub mod config;
pub mod dns_guard;
pub mod envelope;
pub mod error;
mod headers;
pub mod public_ip;
pub mod rate_limit_headers;
mod transport;
pub mod vouch;
pub mod webhook_settings;
