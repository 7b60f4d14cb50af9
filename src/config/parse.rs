//! Parses the command line and the environment, and rewrites clap's errors into one line that names the setting by both of its
//! names: clap's own take several lines, and name only the flag where the mistake is in an environment variable.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgMatches, Args, Command, Parser};

use super::secret_file::with_secret_files;
use crate::stderr;

/// Exit code of an invalid setting or command line (`EX_USAGE`).
pub const EXIT_USAGE: u8 = 64;
/// The longest part of an invalid value that is shown.
const MAX_SHOWN: usize = 80;

/// Ends the program before it begins.
#[derive(Debug)]
pub enum EarlyExit {
    /// The help or the version, for standard output: exit code 0.
    Shown(clap::Error),
    /// The help of a command line without a command, for standard error: exit code 64.
    Missing(clap::Error),
    /// One line, without its line end: exit code 64.
    Wrong(String),
}

impl EarlyExit {
    pub fn code(&self) -> u8 {
        match self {
            Self::Shown(_) => 0,
            Self::Missing(_) | Self::Wrong(_) => EXIT_USAGE,
        }
    }

    pub fn print(&self) -> ExitCode {
        match self {
            Self::Shown(text) | Self::Missing(text) => {
                let _ = text.print(); // a closed output cannot be reported
            }
            Self::Wrong(line) => stderr::line(line),
        }
        ExitCode::from(self.code())
    }
}

/// Parses a command line (the program's name first) and the environment. An empty variable counts as unset.
pub fn parse_from<T: Parser>(args: impl IntoIterator<Item = OsString>) -> Result<T, EarlyExit> {
    parse_with_sources(args).map(|(parsed, _)| parsed)
}

/// The same with the matches, which have the source of each value.
pub fn parse_with_sources<T: Parser>(args: impl IntoIterator<Item = OsString>) -> Result<(T, ArgMatches), EarlyExit> {
    parse_ignoring(OsStr::is_empty, args)
}

/// The values of an empty command line and an empty environment.
///
/// # Panics
/// An argument of `T` is required, or its default is invalid; a test parses each group that is used here.
pub(super) fn defaults<T: Args>() -> T {
    let command = T::augment_args(Command::new("defaults")).mut_args(|arg| arg.env(None));
    let parsed = command.try_get_matches_from(["defaults"]);
    let parsed = parsed.and_then(|matches| T::from_arg_matches(&matches));
    parsed.expect("every argument has a valid default")
}

/// Parses without the variables that `ignored` accepts.
fn parse_ignoring<T: Parser>(
    ignored: impl Fn(&OsStr) -> bool + Copy,
    args: impl IntoIterator<Item = OsString>,
) -> Result<(T, ArgMatches), EarlyExit> {
    let args: Vec<OsString> = args.into_iter().collect();
    let mut command = T::command();
    let with_files = with_secret_files(command.clone(), &args, ignored);
    let with_files = with_files.map_err(|error| EarlyExit::Wrong(one_line(&format!("error: {error}"))))?;
    let parsed = without_variables(with_files, ignored)
        .try_get_matches_from(&args)
        .and_then(|matches| Ok((T::from_arg_matches(&matches)?, matches)));
    parsed.map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => EarlyExit::Shown(error),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => EarlyExit::Missing(error),
        _ => {
            command.build(); // else its arguments cannot be displayed
            EarlyExit::Wrong(one_line(&format!("error: {}", describe(&error, &command, &args))))
        }
    })
}

/// clap would take an empty variable for a value.
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

fn describe(error: &clap::Error, root: &Command, args: &[OsString]) -> String {
    // The innermost command that was named declares the argument.
    let mut path = vec![root];
    for arg in args.iter().skip(1) {
        path.extend(path.last().and_then(|command| command.find_subcommand(arg)));
    }
    let mut declared = path.iter().rev().flat_map(|command| command.get_arguments());
    let label = text(error, ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            let name = declared.find(|arg| arg.to_string() == label).map_or(label, names);
            match text(error, ContextKind::InvalidValue) {
                None => format!("{name}: a value is missing"),
                Some(value) => format!("{name}: {} {}", quoted(&value), accepted(error)),
            }
        }
        ErrorKind::InvalidUtf8 => {
            let unreadable = |arg: &&Arg| variable_of(arg).is_some_and(|value| value.to_str().is_none());
            let name = declared.find(unreadable).map(names);
            let name = name.unwrap_or_else(|| "the command line".to_owned());
            format!("{name}: the value is not UTF-8")
        }
        // It may be the rest of a secret that contains a space.
        ErrorKind::UnknownArgument if !label.starts_with('-') => {
            "an argument is not expected (a value that contains a space must be quoted)".to_owned()
        }
        _ => {
            let whole = error.render().to_string();
            let lines = whole.lines().map(str::trim);
            let message: Vec<&str> = lines
                .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
                .filter(|line| !line.is_empty())
                .collect();
            let message = message.join(" ");
            let command: Vec<&str> = path.iter().map(|command| command.get_name()).collect();
            format!(
                "{} (see {} --help)",
                message.strip_prefix("error: ").unwrap_or(&message),
                command.join(" ")
            )
        }
    }
}

/// `INGEST_WORKERS (--workers)`, or the one name that there is.
fn names(arg: &Arg) -> String {
    let flag = arg.get_long().map(|long| format!("--{long}"));
    let variable = arg.get_env().map(|env| env.to_string_lossy().into_owned());
    match (variable, flag) {
        (Some(variable), Some(flag)) => format!("{variable} ({flag})"),
        (variable, flag) => variable.or(flag).unwrap_or_else(|| arg.to_string()),
    }
}

fn accepted(error: &clap::Error) -> String {
    match (std::error::Error::source(error), error.get(ContextKind::ValidValue)) {
        (Some(reason), _) => reason.to_string(),
        (None, Some(ContextValue::Strings(values))) => format!("is not one of: {}", values.join(", ")),
        (None, _) => "is not allowed".to_owned(),
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    }
}

/// Escapes control characters, and cuts a long value.
fn quoted(value: &str) -> String {
    let cut = if value.chars().count() > MAX_SHOWN { "…" } else { "" };
    let start: String = value.chars().take(MAX_SHOWN).collect();
    format!("\"{}{cut}\"", start.escape_debug())
}

fn one_line(text: &str) -> String {
    let parts = text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" ")
}

fn variable_of(arg: &Arg) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "config is the reader of the environment")]
    arg.get_env().and_then(std::env::var_os)
}

#[cfg(test)]
mod tests;
