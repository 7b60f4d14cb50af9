//! How a subcommand fails: what was attempted, why it did not work, perhaps a hint, an exit code; printed as one line.
//!
//! One plain struct for all subcommands rather than an enum of their errors: nobody but the person at the terminal
//! reads it, and all they can do with it is read it.

use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use crate::config::parse::EXIT_USAGE;

/// The exit code when something the program needs cannot be reached (`EX_UNAVAILABLE`).
pub const EXIT_UNAVAILABLE: u8 = 69;

/// Why a subcommand failed.
#[derive(Debug)]
pub struct CliError {
    what: String,
    source: Option<Box<dyn Error + Send + Sync>>,
    hint: Option<String>,
    code: u8,
}

impl CliError {
    /// A failure that is explained by `what` alone, a whole statement, for example `3 of 7 deliveries were refused`.
    pub fn plain(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            source: None,
            hint: None,
            code: 1,
        }
    }

    /// A failed attempt and its cause; `attempt` completes "could not …", for example `connect to the database`.
    pub fn to(attempt: impl fmt::Display, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::plain(format!("could not {attempt}"))
        }
    }

    /// A setting is wrong, seen only now: exit code 64. `what` names the setting.
    pub fn setting(what: impl Into<String>) -> Self {
        Self {
            code: EXIT_USAGE,
            ..Self::plain(what)
        }
    }

    /// Marks it as something that cannot be reached: exit code 69.
    #[must_use]
    pub fn unavailable(self) -> Self {
        Self {
            code: EXIT_UNAVAILABLE,
            ..self
        }
    }

    /// Adds what the person may do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }

    /// Prints the line to standard error.
    pub fn print(&self) -> ExitCode {
        eprintln!("error: {self}");
        ExitCode::from(self.code)
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = match self.source.as_deref() {
            Some(source) => follow(self.what.clone(), source),
            None => self.what.clone(),
        };
        if let Some(hint) = &self.hint {
            told = format!("{told} ({hint})");
        }
        f.write_str(&told.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

impl Error for CliError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// An error and its causes on one line.
pub fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => follow(error.to_string(), source),
        None => error.to_string(),
    }
}

/// Adds a cause and its own causes to what was told.
fn follow(mut told: String, cause: &dyn Error) -> String {
    let mut cause = Some(cause);
    while let Some(error) = cause {
        let text = error.to_string();
        // Many errors already tell their source at their end.
        if !told.ends_with(&text) {
            told = format!("{told}: {text}");
        }
        cause = error.source();
    }
    told
}

/// Names the attempt where a result is passed on.
pub trait Context<T> {
    /// Turns an error into a [`CliError`] to do `attempt`.
    fn context(self, attempt: impl fmt::Display) -> Result<T, CliError>;
}

impl<T, E: Into<Box<dyn Error + Send + Sync>>> Context<T> for Result<T, E> {
    fn context(self, attempt: impl fmt::Display) -> Result<T, CliError> {
        self.map_err(|error| CliError::to(attempt, error))
    }
}

#[cfg(test)]
mod tests;
