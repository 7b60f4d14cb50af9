//! Writing to standard output, where a reader that has seen enough (`… | head`) is no error; `println!` panics there.

use std::io::{ErrorKind, Write, stdout};

use super::error::{CliError, Context};

/// Writes the text and a line end.
pub fn print(text: impl std::fmt::Display) -> Result<(), CliError> {
    write(format!("{text}\n").as_bytes())
}

/// Writes the bytes as they are.
pub fn write(bytes: &[u8]) -> Result<(), CliError> {
    let mut out = stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.context("write to standard output"),
    }
}
