//! Quotes on an attached database: the application's tables are stricter than ours, and contain rows of its own.

mod adopted_rows;
mod projection;
pub mod setup;
