//! Standard output as people see it: its width, its colours and its characters, by the terminal, `--color` and the usual variables.

use std::io::{IsTerminal, stdout};
use std::sync::OnceLock;

use anstream::{AutoStream, ColorChoice};
use clap::{Args, ValueEnum};
use terminal_size::terminal_size_of;

/// A terminal that does not say how wide it is.
const USUAL_WIDTH: usize = 80;
/// Narrower ones are treated as if they had this width.
const LEAST_WIDTH: usize = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColourChoice {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

#[derive(Debug, Clone, Copy, Args)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// Colour of state words on standard output: auto (on a terminal, and as NO_COLOR, CLICOLOR and CLICOLOR_FORCE say), always or
    /// never.
    #[arg(long = "color", global = true, value_name = "WHEN", default_value = "auto")]
    pub colour: ColourChoice,
}

/// The properties of standard output.
#[derive(Debug, Clone, Copy, Default)]
pub struct OutputTerminal {
    /// In columns; `None` for a pipe or a file, where lines are not broken.
    pub width: Option<usize>,
    pub has_colour: bool,
    pub is_terminal: bool,
    /// The locale says that characters beyond ASCII are shown.
    pub is_utf8: bool,
}

static STDOUT: OnceLock<OutputTerminal> = OnceLock::new();

impl OutputArgs {
    /// Looks at standard output once, for all of the process.
    pub fn apply(self) {
        match self.colour {
            ColourChoice::Auto => ColorChoice::Auto,
            ColourChoice::Always => ColorChoice::Always,
            ColourChoice::Never => ColorChoice::Never,
        }
        .write_global();
        STDOUT.get_or_init(|| OutputTerminal {
            width: width(),
            has_colour: AutoStream::choice(&stdout()) != ColorChoice::Never,
            is_terminal: stdout().is_terminal(),
            is_utf8: is_utf8(),
        });
    }
}

/// Standard output of this process; without [`OutputArgs::apply`] one without a width and without colours.
pub fn stdout_terminal() -> OutputTerminal {
    STDOUT.get().copied().unwrap_or_default()
}

/// The width of the terminal. Elsewhere COLUMNS, where a caller exported it.
fn width() -> Option<usize> {
    let width = match (terminal_size_of(stdout()), stdout().is_terminal()) {
        (Some((terminal_size::Width(columns), _)), true) if columns > 0 => usize::from(columns),
        (_, true) => USUAL_WIDTH,
        (_, false) => variable("COLUMNS")?.parse().ok().filter(|columns| *columns > 0)?,
    };
    Some(width.max(LEAST_WIDTH))
}

/// The first of these variables that is set decides, as in POSIX.
fn is_utf8() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable);
    locale.is_some_and(|locale| {
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

fn variable(name: &str) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "config is the reader of the environment")]
    let value = std::env::var_os(name)?;
    value.into_string().ok().filter(|value| !value.is_empty())
}
