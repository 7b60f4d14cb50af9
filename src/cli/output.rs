//! Writes to standard output. A reader that closes the pipe (`… | head`) is no error; `println!` would panic.

use std::io::{ErrorKind, Write, stdout};

use serde::Serialize;

use super::error::{CliError, Context};
use super::table::TextTable;

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

pub fn print_json(value: &impl Serialize) -> Result<(), CliError> {
    print(serde_json::to_string_pretty(value).context("write the output as JSON")?)
}

/// Prints a list as JSON, or else fills a table with it; prints `none` where the list is empty.
pub fn print_list<T: Serialize, const COLUMNS: usize>(
    json: bool,
    list: Vec<T>,
    none: &str,
    table: TextTable,
    cells: impl Fn(T) -> [String; COLUMNS],
) -> Result<(), CliError> {
    match list.is_empty() {
        _ if json => print_json(&list),
        true => print(none),
        false => print(table.rows(list.into_iter().map(cells))),
    }
}
