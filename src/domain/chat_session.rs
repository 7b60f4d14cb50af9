//! What session tracking takes and shows: plain data, in the names of the columns of `chat_sessions`.
//!
//! One set of types serves the Rust API, the HTTP API and its description, so that the three cannot differ.

pub mod input;
pub mod page;
pub mod patch;
pub mod status;
pub mod view;
