//! `/v1`: the sessions API. It parses, authorises, calls `sessions` and renders; what an operation does stands there.

pub mod auth;
pub mod cursor;
pub mod extract;
pub mod problem;
pub mod query;
pub mod response;
pub mod router;
pub mod session;
pub mod session_actions;
pub mod sessions;
pub mod state;
