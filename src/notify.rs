//! Webhooks that the service sends: their content, their receiver, and the HTTP call, signed as Standard Webhooks describes it.

pub mod message;
pub mod sender;
pub mod target;
