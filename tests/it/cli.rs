//! The program as an admin runs it: settings, `check`, lists, `trace`, and errors.

mod check;
mod database_errors;
mod events_by_hand;
mod exit_codes;
mod lists;
mod self_description;
mod settings;
mod terminal;
mod trace;
