//! The format and the level of the log, the same for every subcommand.

use std::io::IsTerminal;

use clap::{Args, ValueEnum};

use super::value_parsers::log_level;

/// Format of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    Pretty,
    /// One JSON object per line
    Json,
}

/// The log goes to standard error.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Log")]
pub struct LogArgs {
    /// Log format.
    #[arg(
        long,
        global = true,
        env = "INGEST_LOG_FORMAT",
        value_name = "FORMAT",
        default_value = "pretty"
    )]
    pub log_format: LogFormat,

    /// Log level (off, error, warn, info, debug, trace), also by target, as in info,sqlx=warn.
    #[arg(long, global = true, env = "INGEST_LOG_LEVEL", value_name = "LEVEL", default_value = "info",
          value_parser = log_level)]
    pub log_level: String,

    /// Address of an OpenTelemetry collector, such as http://localhost:4318, that receives the spans of the log's level by OTLP over
    /// HTTP. Needs a program that was built with the feature `otlp`.
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
}

/// Returns whether standard error is a terminal and `NO_COLOR` is not set.
pub fn colour_on_stderr() -> bool {
    #[expect(clippy::disallowed_methods, reason = "config is the reader of the environment")]
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !refused && std::io::stderr().is_terminal()
}
