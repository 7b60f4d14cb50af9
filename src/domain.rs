//! The rules, pure: plain data in, plain data out; no clock, no database, no network.

pub mod chat_session;
pub mod decide;
pub mod event;
pub mod ids;
pub mod job_kind;
pub mod primary_quote;
pub mod quote;
pub mod quote_history;
pub mod session;
pub mod trip;
pub mod trip_identity;
pub mod workflow;

#[cfg(test)]
mod tests;
