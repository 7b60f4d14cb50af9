//! Quotes on an attached database: the application's tables are stricter than ours, and contain rows of its own.

mod adopted_rows;
mod deleted_requests;
mod displayed_columns;
mod insert_trigger;
mod inserted_values;
mod old_rows;
mod payloads;
mod projection;
pub mod setup;
mod stated_values;
