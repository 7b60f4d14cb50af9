//! Settings of the real program in a real environment: one line, and an exit code.

mod commands;
mod secrets;
mod variables;

use std::process::{Command, Output};

/// Runs the program with these arguments and only these environment variables.
fn program(arguments: &str, variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_avinode-ingest"))
        .args(arguments.split_whitespace())
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
