//! The sessions API and the operator API under `/v1`: they authorise, parse, call `sessions` and `admin`, and render. The operations
//! themselves are in `sessions` and `admin`.

pub mod admin;
pub mod auth;
pub mod cursor;
pub mod events;
pub mod extract;
pub mod problem;
pub mod query;
pub mod response;
pub mod router;
pub mod serde_error;
pub mod session;
pub mod session_actions;
pub mod sessions;
pub mod state;
