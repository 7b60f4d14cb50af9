//! Crashes, kills, overload and shutdowns: the real program as a process of its own, on a real Postgres.

mod database;
mod demo;
pub mod durable;
mod embedded;
mod ending;
mod group_commit;
mod killed;
pub mod load;
mod metrics;
mod output;
pub mod program;
mod replica;
pub mod roles;
mod service_manager;
mod signals;
mod spans;
mod start;
