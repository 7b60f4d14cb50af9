//! Settings of the real program in a real environment: one line, and an exit code.

mod commands;
mod secrets;
mod variables;
