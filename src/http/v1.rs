//! `/v1`: the sessions API. It parses, authorises, calls `sessions` and renders; what an operation does stands there.

pub mod answer;
pub mod auth;
pub mod changes;
pub mod collection;
pub mod cursor;
pub mod input;
pub mod one;
pub mod problem;
pub mod query;
pub mod router;
pub mod state;
