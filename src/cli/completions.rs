//! `completions SHELL`: the script that completes commands and options in a shell.

use clap_complete::{Shell, generate};

use super::error::CliError;
use super::output::write;

#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell: bash, elvish, fish, powershell or zsh.
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// `root`: the declaration of the command line.
pub fn run(args: &CompletionsArgs, mut root: clap::Command) -> Result<(), CliError> {
    let (name, mut script) = (root.get_name().to_owned(), Vec::new());
    generate(args.shell, &mut root, name, &mut script);
    write(&script)
}
