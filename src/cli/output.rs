//! Writes to standard output. A reader that closes the pipe (`… | head`) is no error; `println!` would panic.

use std::io::{ErrorKind, Write, stdout};

use super::error::{CliError, Context};

/// Writes a text and a line end.
pub fn print(text: impl std::fmt::Display) -> Result<(), CliError> {
    write(format!("{text}\n").as_bytes())
}

pub fn write(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("write to standard output"),
    }
}
