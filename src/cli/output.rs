//! Writes to standard output. A reader that closes the pipe (`… | head`) is no error; `println!` would panic.

use std::io::{ErrorKind, Write, stdout};

use serde::Serialize;

use super::error::{CliError, Context};
use super::wrap::fit;
use crate::config::terminal::stdout_terminal;

/// Writes a text and a line end.
pub fn print(text: impl std::fmt::Display) -> Result<(), CliError> {
    write(format!("{text}\n").as_bytes())
}

/// Writes lines, broken to the width of the terminal, and a line end.
pub fn print_lines(text: impl std::fmt::Display) -> Result<(), CliError> {
    let width = stdout_terminal().width;
    let text = text.to_string();
    print(
        text.lines()
            .map(|line| fit(line, width, 2))
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

pub fn write(bytes: &[u8]) -> Result<(), CliError> {
    write_if_read(bytes).map(drop)
}

/// Writes a text and a line end. Returns whether the output is still read.
pub fn print_line(text: impl std::fmt::Display) -> Result<bool, CliError> {
    write_if_read(format!("{text}\n").as_bytes())
}

fn write_if_read(bytes: &[u8]) -> Result<bool, CliError> {
    let mut out = stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        written => written.map(|()| true).context("write to standard output"),
    }
}

pub fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    print(serde_json::to_string_pretty(value).context("write the output as JSON")?)
}
