//! A refused command line in words: one line that names the setting as the person wrote it, and never repeats a secret.
//!
//! clap's own messages are not used for values: they take several lines, name only the flag where the mistake stands in
//! an environment variable, and repeat the value even where it is a secret.

use std::error::Error as _;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

/// The longest piece of a wrong value that is repeated.
const SHOWN: usize = 80;

/// What was typed, and the (sub)command that it was typed for.
pub struct CommandLine<'a> {
    path: Vec<&'a Command>,
    args: Vec<String>,
}

impl<'a> CommandLine<'a> {
    /// Finds the subcommand among what was typed (the program's name first).
    pub fn new(root: &'a Command, args: &[OsString]) -> Self {
        let args: Vec<String> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
        let mut path = vec![root];
        for arg in args.iter().skip(1) {
            path.extend(path.last().and_then(|command| command.find_subcommand(arg)));
        }
        Self { path, args }
    }

    /// The declarations in reach, the innermost command's first.
    fn settings(&self) -> impl Iterator<Item = &'a Arg> {
        self.path.iter().rev().flat_map(|command| command.get_arguments())
    }

    /// The declaration of the argument that clap calls `--workers <COUNT>`.
    fn setting(&self, label: &str) -> Option<&'a Arg> {
        let flag = label.split_whitespace().next()?.strip_prefix("--")?;
        self.settings().find(|arg| arg.get_long() == Some(flag))
    }

    fn was_typed(&self, arg: &Arg) -> bool {
        let flag = arg.get_long().map(|long| format!("--{long}")).unwrap_or_default();
        let typed = |arg: &String| {
            arg.strip_prefix(&flag)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        !flag.is_empty() && self.args.iter().any(typed)
    }

    /// Both names of a setting, the one that was used first.
    fn names(&self, arg: &Arg) -> String {
        let flag = arg.get_long().map(|long| format!("--{long}"));
        let variable = arg.get_env().map(|env| env.to_string_lossy().into_owned());
        match (flag, variable) {
            (Some(flag), Some(variable)) if self.was_typed(arg) => format!("{flag} ({variable})"),
            (Some(flag), Some(variable)) => format!("{variable} ({flag})"),
            (flag, variable) => flag.or(variable).unwrap_or_else(|| arg.get_id().to_string()),
        }
    }

    fn holds_a_secret(&self) -> bool {
        self.settings()
            .any(|arg| arg.is_hide_env_values_set() && self.was_typed(arg))
    }
}

/// The mistake in words, on one line, without the value of a secret.
pub fn describe(error: &clap::Error, line: &CommandLine<'_>) -> String {
    let label = text(error, ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            let setting = line.setting(&label);
            let name = setting.map_or_else(|| label.clone(), |arg| line.names(arg));
            let value = match text(error, ContextKind::InvalidValue) {
                None => return format!("{name}: a value is missing"),
                Some(_) if setting.is_some_and(Arg::is_hide_env_values_set) => "the value".to_owned(),
                Some(value) => quoted(&value),
            };
            format!("{name}: {value} {}", what_is_allowed(error))
        }
        ErrorKind::InvalidUtf8 => {
            let unreadable = |arg: &&Arg| variable_of(arg).is_some_and(|value| value.to_str().is_none());
            let name = line.settings().find(unreadable).map(|arg| line.names(arg));
            format!(
                "{}: the value is not UTF-8",
                name.as_deref().unwrap_or("the command line")
            )
        }
        // A secret with a space in it, not quoted, ends up here.
        ErrorKind::UnknownArgument if line.holds_a_secret() => {
            "an unexpected argument follows; a value with a space in it must be quoted".to_owned()
        }
        _ => {
            let whole = error.render().to_string();
            let lines = whole.lines().map(str::trim);
            let said: Vec<&str> = lines
                .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more information"))
                .filter(|line| !line.is_empty())
                .collect();
            let said = said.join(" ");
            let command: Vec<&str> = line.path.iter().map(|command| command.get_name()).collect();
            format!(
                "{} (see {} --help)",
                said.strip_prefix("error: ").unwrap_or(&said),
                command.join(" ")
            )
        }
    }
}

fn what_is_allowed(error: &clap::Error) -> String {
    match (error.source(), error.get(ContextKind::ValidValue)) {
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

/// A value between quotes, its line ends and control characters made visible, cut where it is very long.
fn quoted(value: &str) -> String {
    let cut = if value.chars().count() > SHOWN { "…" } else { "" };
    format!(
        "\"{}{cut}\"",
        value.chars().take(SHOWN).collect::<String>().escape_debug()
    )
}

/// The value of the environment variable that the setting may come from.
pub fn variable_of(arg: &Arg) -> Option<OsString> {
    #[expect(clippy::disallowed_methods, reason = "config is the reader of the environment")]
    arg.get_env().and_then(std::env::var_os)
}
