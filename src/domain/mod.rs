//! The rules, pure: plain data in, plain data out; no clock, no database, no network.

pub mod event;
pub mod id;
