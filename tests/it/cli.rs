//! The program as an admin runs it: settings, `check`, and errors.

mod check;
mod database_errors;
mod settings;
