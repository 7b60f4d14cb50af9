//! The error of a subcommand: the failed attempt, its causes, an optional hint and an exit code, printed as one line.
//!
//! One struct for all subcommands rather than an enum: only the person at the terminal reads it.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use crate::config::parse::EXIT_USAGE;
use crate::config::setting_error::SettingError;
use crate::stderr;

/// Exit code when something that the program needs cannot be reached (`EX_UNAVAILABLE`).
pub const EXIT_UNAVAILABLE: u8 = 69;
/// Exit code when the program and the schema of the database do not fit (`EX_CONFIG`).
pub const EXIT_SCHEMA: u8 = 78;
/// Exit code of an interrupted program: 128 + SIGINT.
pub const EXIT_INTERRUPTED: u8 = 130;
/// Every exit code, for docs/configuration.md.
pub const EXIT_CODES: [(u8, &str); 6] = [
    (0, "success; of `check`: no check failed"),
    (1, "the command failed, or found something wrong"),
    (
        EXIT_USAGE,
        "the command line or a setting is invalid; one line on standard error names it, with its value and bounds",
    ),
    (
        EXIT_UNAVAILABLE,
        "the database, the port, the Postgres programs or Avinode cannot be reached",
    ),
    (
        EXIT_SCHEMA,
        "the schema of the database does not fit this program, for example because it is older: another start does not help before \
         `migrate`, or the program that the message names, has run",
    ),
    (
        EXIT_INTERRUPTED,
        "interrupted by a second SIGTERM or Ctrl-C; a demo or a batch by the first before it was done",
    ),
];

#[derive(Debug)]
pub struct CliError {
    message: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    hint: Option<String>,
    code: u8,
}

impl CliError {
    /// `message` is a whole statement, for example `3 of 7 deliveries were refused`.
    pub fn plain(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
            hint: None,
            code: 1,
        }
    }

    /// `attempt` completes "could not …", for example `connect to the database`.
    pub fn to(attempt: impl fmt::Display, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::plain(format!("could not {attempt}"))
        }
    }

    /// An invalid setting, which `message` names: exit code 64.
    pub fn setting(message: impl Into<String>) -> Self {
        Self {
            code: EXIT_USAGE,
            ..Self::plain(message)
        }
    }

    /// Sets exit code 69: something cannot be reached.
    #[must_use]
    pub fn unavailable(self) -> Self {
        Self {
            code: EXIT_UNAVAILABLE,
            ..self
        }
    }

    /// Sets exit code 78: program and schema do not fit, and another start cannot help.
    #[must_use]
    pub fn unfit_schema(self) -> Self {
        Self {
            code: EXIT_SCHEMA,
            ..self
        }
    }

    /// Adds what the person can do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    pub fn code(&self) -> u8 {
        self.code
    }

    pub fn print(&self) -> ExitCode {
        stderr::line(format_args!("error: {self}"));
        ExitCode::from(self.code)
    }
}

impl From<SettingError> for CliError {
    fn from(error: SettingError) -> Self {
        Self::setting(error.0)
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = with_causes(self.message.clone(), self.source());
        if let Some(hint) = &self.hint {
            line = format!("{line} ({hint})");
        }
        f.write_str(&line.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl Error for CliError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// An error and its causes on one line.
pub fn chain(error: &dyn Error) -> String {
    with_causes(error.to_string(), error.source())
}

fn with_causes(mut line: String, mut cause: Option<&(dyn Error + 'static)>) -> String {
    while let Some(error) = cause {
        let text = error.to_string();
        // Many errors end with their cause already.
        if !line.ends_with(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line
}

/// Names the attempt where a result is passed on.
pub trait Context<T> {
    /// `attempt` completes "could not …".
    fn context(self, attempt: impl fmt::Display) -> Result<T, CliError>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Context<T> for Result<T, E> {
    fn context(self, attempt: impl fmt::Display) -> Result<T, CliError> {
        self.map_err(|error| CliError::to(attempt, error))
    }
}

#[cfg(test)]
mod tests;
