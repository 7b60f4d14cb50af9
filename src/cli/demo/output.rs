//! The lines of the demo, of at most 80 columns: one for each scenario, with a tick, and the line that says what happens meanwhile.

use std::io::{IsTerminal, stderr as standard_error};

use crate::cli::colour;
use crate::cli::error::CliError;
use crate::cli::output::print;
use crate::cli::wrap::fit;
use crate::config::terminal::{OutputTerminal, stdout_terminal};
use crate::stderr;

const WIDTH: usize = 80;

/// A statement, and the differences from it.
#[derive(Debug)]
pub struct DemoLine {
    pub text: String,
    /// `None`: nothing was expected.
    pub differences: Option<Vec<String>>,
}

impl DemoLine {
    pub fn is_failed(&self) -> bool {
        self.differences.as_ref().is_some_and(|found| !found.is_empty())
    }
}

pub fn line(line: &DemoLine) -> Result<(), CliError> {
    paragraph(&shown(line, stdout_terminal()))
}

fn shown(line: &DemoLine, terminal: OutputTerminal) -> String {
    let tick = match (&line.differences, terminal.is_utf8) {
        (None, _) => "-",
        (Some(found), true) if found.is_empty() => "✓",
        (Some(_), true) => "✗",
        (Some(found), false) if found.is_empty() => "ok",
        (Some(_), false) => "FAILED",
    };
    let text = fit(&format!("{tick} {}", line.text), Some(width(terminal)), 5);
    let text = text.strip_prefix(tick).unwrap_or_default();
    let differences = line.differences.iter().flatten();
    let differences = differences.map(|found| {
        format!(
            "\n     {}",
            fit(found, Some(width(terminal) - 5), 0).replace('\n', "\n     ")
        )
    });
    format!(
        "{}{text}{}",
        colour::state(tick, terminal.has_colour),
        differences.collect::<String>()
    )
}

/// A line without a tick.
pub fn note(text: &str) -> Result<(), CliError> {
    paragraph(&fit(text, Some(width(stdout_terminal())), 0))
}

/// Says what happens now, below the other lines; on a terminal only.
pub fn meanwhile(text: &str) {
    if stdout_terminal().is_terminal && standard_error().is_terminal() {
        stderr::live(Some(text));
    }
}

/// A line of standard output must not be written into that of [`meanwhile`].
fn paragraph(text: &str) -> Result<(), CliError> {
    end_meanwhile();
    print(text)
}

pub fn end_meanwhile() {
    if standard_error().is_terminal() {
        stderr::live(None);
        stderr::flush(stderr::FLUSH_LIMIT);
    }
}

fn width(terminal: OutputTerminal) -> usize {
    terminal.width.unwrap_or(WIDTH).min(WIDTH)
}

#[cfg(test)]
mod tests;
