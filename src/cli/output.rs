//! Writing to standard output, where a reader that has seen enough (`… | head`) is no error; `println!` panics there.

use std::io::{ErrorKind, Write, stdout};

use super::error::{Attempt, Failure};

/// Writes the text and a line end.
pub fn print(text: impl std::fmt::Display) -> Result<(), Failure> {
    write(format!("{text}\n").as_bytes())
}

/// Writes the bytes as they are.
pub fn write(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written.attempting("write to standard output"),
    }
}
