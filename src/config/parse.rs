//! From the command line and the environment to settings, or to one line that names the setting that is wrong.
//!
//! clap does the parsing; [`super::usage_error`] puts what it refuses into words.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{Command, Parser};

use super::usage_error::{CommandLine, describe, variable_of};

/// The exit code of a wrong setting or a wrong command line (`EX_USAGE`).
pub const EXIT_USAGE: u8 = 64;

/// Why the program ends before it begins.
#[derive(Debug)]
pub enum EarlyExit {
    /// Help or the version was asked for: printed to standard output, exit code 0.
    Shown(clap::Error),
    /// Nothing was asked for: the help goes to standard error, exit code 64.
    Missing(clap::Error),
    /// Something is wrong: the one line, without its line end, exit code 64.
    Wrong(String),
}

impl EarlyExit {
    /// Something is wrong; `what` is the line after `error: `.
    pub fn wrong(what: impl std::fmt::Display) -> Self {
        Self::Wrong(one_line(&format!("error: {what}")))
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Shown(_) => 0,
            Self::Missing(_) | Self::Wrong(_) => EXIT_USAGE,
        }
    }

    /// Prints it where it belongs.
    pub fn print(&self) -> ExitCode {
        match self {
            Self::Shown(text) | Self::Missing(text) => {
                let _ = text.print(); // nobody is left to tell when the output is closed
            }
            Self::Wrong(line) => eprintln!("{line}"),
        }
        ExitCode::from(self.code())
    }
}

/// Parses a command line (the program's name first) and the environment. An empty environment variable counts as unset.
pub fn parse_from<T: Parser>(args: impl IntoIterator<Item = OsString>) -> Result<T, EarlyExit> {
    parse_without(OsStr::is_empty, args)
}

/// Parses, without the environment variables whose value is to be ignored.
fn parse_without<T: Parser>(
    ignored: impl Fn(&OsStr) -> bool + Copy,
    args: impl IntoIterator<Item = OsString>,
) -> Result<T, EarlyExit> {
    let args: Vec<OsString> = args.into_iter().collect();
    let command = T::command();
    let parsed = without_variables(command.clone(), ignored)
        .try_get_matches_from(&args)
        .and_then(|matches| T::from_arg_matches(&matches));
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => EarlyExit::Shown(error),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => EarlyExit::Missing(error),
        _ => EarlyExit::wrong(describe(&error, &CommandLine::new(&command, &args))),
    })
}

/// Makes clap forget these variables; it would take one that is set to nothing for a value.
fn without_variables(command: Command, ignored: impl Fn(&OsStr) -> bool + Copy) -> Command {
    command
        .mut_args(|arg| {
            if variable_of(&arg).is_some_and(|value| ignored(&value)) {
                arg.env(None)
            } else {
                arg
            }
        })
        .mut_subcommands(|command| without_variables(command, ignored))
}

fn one_line(text: &str) -> String {
    text.split(['\n', '\r'])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests;
