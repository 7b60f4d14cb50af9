//! Receiving: durable before the answer, many requests to a commit.

pub mod flush;
pub mod receiver;
