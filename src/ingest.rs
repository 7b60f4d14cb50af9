//! Receiving: durable before the answer, many requests to a commit.

pub mod group_commit;
pub mod insert;
