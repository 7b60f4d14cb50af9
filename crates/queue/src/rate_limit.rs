//! The rate limit of the process that leads fetching: a token bucket, a circuit breaker, pauses and a suspension, in memory.
//!
//! [`limiter`] hands out permits by the rules of [`token_bucket`] and [`state`]. The leader writes its restrictions into its
//! lease row, from which [`status`] reads them and the next leader takes them over.

mod breaker;
pub mod limiter;
pub mod restrictions;
pub mod state;
pub mod status;
pub mod token_bucket;
