//! Thin notifications: fetched once for many, within the limit, and applied whatever goes wrong on the way.

mod admin_commands;
mod coalescing;
mod dead_letters;
mod fetch_failures;
mod generated_quotes;
mod ids;
mod keys;
mod leader;
pub mod limits;
mod prices;
mod query_parameters;
mod reconcile;
mod related_documents;
mod second_fetch;
pub mod setup;
mod speculative;
mod status;
mod stored_documents;
mod two_clocks;
