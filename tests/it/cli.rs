//! The program as an admin runs it: settings, `check`, lists, `trace`, and errors.

mod check;
mod database_errors;
mod events_by_hand;
mod exit_codes;
mod healthcheck;
mod lists;
mod replayed;
mod self_description;
mod service_unit;
mod settings;
mod terminal;
mod trace;
