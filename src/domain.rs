//! The rules, pure: plain data in, plain data out; no clock, no database, no network.

pub mod decide;
pub mod election;
pub mod event;
pub mod id;
pub mod quote;
pub mod said;
pub mod same;
pub mod session;
pub mod tracking;
pub mod trip;
pub mod workflow;

#[cfg(test)]
mod tests;
