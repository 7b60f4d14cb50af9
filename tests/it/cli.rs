//! The program as an admin runs it: settings, `check`, lists, `trace`, and errors.

mod check;
mod database_errors;
mod lists;
mod settings;
mod trace;
