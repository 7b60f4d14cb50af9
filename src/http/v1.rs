//! The sessions API under `/v1`: it authorises, parses, calls `sessions` and renders. The operations themselves are in
//! `sessions`.

pub mod auth;
pub mod cursor;
pub mod events;
pub mod extract;
pub mod problem;
pub mod query;
pub mod response;
pub mod router;
pub mod session;
pub mod session_actions;
pub mod sessions;
pub mod state;
