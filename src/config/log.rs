//! What the log looks like and how much it says; the same for every subcommand.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};

use super::value_parsers::log_level;

/// How log lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Pretty,
    /// One JSON object a line, for machines.
    Json,
}

/// Settings of the log, which goes to standard error.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// How the log is written.
    #[arg(
        long,
        global = true,
        env = "INGEST_LOG",
        value_name = "FORMAT",
        default_value = "pretty"
    )]
    pub log: LogFormat,

    /// What is logged: a level (off, error, warn, info, debug, trace), and levels by target, such as info,sqlx=warn.
    #[arg(long, global = true, env = "INGEST_LOG_LEVEL", value_name = "LEVEL", default_value = "info",
          value_parser = log_level)]
    pub log_level: String,
}

/// Whether standard error may be coloured: it is a terminal, and `NO_COLOR` is not set.
pub fn colour_on_stderr() -> bool {
    #[expect(clippy::disallowed_methods, reason = "config is the reader of the environment")]
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && std::io::stderr().is_terminal()
}
