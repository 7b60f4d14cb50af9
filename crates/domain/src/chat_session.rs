//! Inputs and outputs of the sessions API: plain data, named after the columns of `chat_sessions`.
//!
//! One set of types serves the Rust API, the HTTP API and its OpenAPI description, so the three cannot differ.

pub mod conversation_type;
pub mod input;
pub mod page;
pub mod patch;
pub mod status;
pub mod stream;
pub mod view;
