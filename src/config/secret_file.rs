//! Secret settings from files: `NAME_FILE` names one, and systemd's `LoadCredential=NAME:…` provides one in
//! `$CREDENTIALS_DIRECTORY`. A file can change while the program runs; the environment cannot.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::{Arg, Command};

/// Ends the name of the variable that names the file of a setting.
pub const SUFFIX: &str = "_FILE";
/// systemd's directory of credentials.
const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Gives the secret settings of the command that `args` name the content of their files as default, so that a flag and a variable
/// with a value come first. Variables that `ignored` accepts are not read.
///
/// # Errors
/// One line that names the variable and the file.
pub fn with_secret_files(
    command: Command,
    args: &[OsString],
    ignored: impl Fn(&OsStr) -> bool + Copy,
) -> Result<Command, String> {
    let mut failure = None;
    let command = command.mut_args(|arg| match content(&arg, ignored) {
        Ok(Some(text)) => arg.default_value(text).hide_default_value(true),
        Ok(None) => arg,
        Err(error) => {
            failure = Some(error);
            arg
        }
    });
    if let Some(failure) = failure {
        return Err(failure);
    }
    let named = args.iter().enumerate().find_map(|(at, arg)| {
        let subcommand = command.find_subcommand(arg)?;
        Some((subcommand.get_name().to_owned(), at + 1))
    });
    let Some((name, next)) = named else {
        return Ok(command);
    };
    let mut inner = Ok(());
    let command = command.mut_subcommand(name, |subcommand| {
        with_secret_files(subcommand.clone(), &args[next..], ignored).unwrap_or_else(|error| {
            inner = Err(error);
            subcommand
        })
    });
    inner.map(|()| command)
}

/// The variables of the secret settings of a command and its subcommands.
pub fn secret_variables(command: &Command) -> Box<dyn Iterator<Item = String> + '_> {
    let own = command.get_arguments().filter_map(secret_variable).map(str::to_owned);
    Box::new(own.chain(command.get_subcommands().flat_map(secret_variables)))
}

fn secret_variable(arg: &Arg) -> Option<&str> {
    arg.get_env().filter(|_| arg.is_hide_env_values_set())?.to_str()
}

/// Reads the file of a secret setting; `None` if it has a value already, or no file.
fn content(arg: &Arg, ignored: impl Fn(&OsStr) -> bool) -> Result<Option<String>, String> {
    let Some(name) = secret_variable(arg) else {
        return Ok(None);
    };
    #[expect(clippy::disallowed_methods, reason = "config is the reader of the environment")]
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty() && !ignored(value));
    if variable(name).is_some() {
        return Ok(None);
    }
    let named = format!("{name}{SUFFIX}");
    let (source, path) = match (variable(&named), variable(CREDENTIALS_DIRECTORY)) {
        (Some(file), _) => (named, PathBuf::from(file)),
        (None, Some(directory)) => {
            let path = PathBuf::from(directory).join(name);
            if !path.exists() {
                return Ok(None);
            }
            (CREDENTIALS_DIRECTORY.to_owned(), path)
        }
        (None, None) => return Ok(None),
    };
    let text = std::fs::read_to_string(&path);
    let text = text.map_err(|error| format!("{source}: could not read {}: {error}", path.display()))?;
    let text = text.trim();
    Ok((!text.is_empty()).then(|| text.to_owned()))
}
