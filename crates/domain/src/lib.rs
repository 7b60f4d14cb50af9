//! The rules: pure functions over plain data, without clock, database or network.

pub mod actor;
pub mod age;
pub mod api_scope;
pub mod chat_session;
pub mod clock;
pub mod decide;
pub mod event;
pub mod ids;
pub mod newest_fact;
pub mod primary_quote;
pub mod quote;
pub mod quote_history;
pub mod redaction;
pub mod session;
pub mod stated_values;
pub mod storable_json;
pub mod subject;
pub mod terminal_text;
pub mod timeline;
pub mod trip;
pub mod trip_identity;
pub mod trip_ownership;
pub mod workflow;
pub mod working_hours;

#[cfg(test)]
pub mod tests;
