//! The log on standard error, as text or JSON, including panics. docs/logging.md has the rules for its lines.

pub mod metric_catalogue;
pub mod repeated_warnings;

use std::panic::PanicHookInfo;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{MakeWriter, SubscriberBuilder};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use self::repeated_warnings::RepeatedWarnings;
use crate::config::log::{LogArgs, LogFormat, colour_on_stderr};
use crate::stderr;

/// The longest part of a panic's message that is logged, in characters.
const PANIC_MESSAGE_LENGTH: usize = 500;

/// Starts the log of the process. Call it once, before anything logs.
pub fn init(settings: &LogArgs) -> Result<(), TryInitError> {
    subscriber(settings, colour_on_stderr(), stderr::writer()).try_init()?;
    // Instead of the default hook, not before it: with RUST_BACKTRACE that one reads the debug information of the whole program,
    // keeps it in memory, and writes 33 KB.
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

fn subscriber<W>(settings: &LogArgs, colour: bool, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // The directives were validated by `config`; `new` skips an invalid one.
    let lines = SubscriberBuilder::default()
        .with_env_filter(EnvFilter::new(&settings.log_level))
        .log_internal_errors(false) // it would be an `eprintln!`
        .with_writer(writer);
    match settings.log_format {
        LogFormat::Pretty => Box::new(lines.with_ansi(colour).finish().with(RepeatedWarnings)),
        LogFormat::Json => {
            let lines = lines.json().flatten_event(true).with_span_list(false);
            Box::new(lines.finish().with(RepeatedWarnings))
        }
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let message = one_line(panic.payload_as_str().unwrap_or("no message"));
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
    if tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!(thread, location, "thread {thread} panicked at {location}: {message}");
    } else {
        // Not hidden by a disabled log.
        stderr::line(format_args!("thread {thread} panicked at {location}: {message}"));
    }
}

/// The beginning of a message, with control characters replaced by spaces: that of `assert_eq!` has several lines.
fn one_line(message: &str) -> String {
    let start: String = message.chars().take(PANIC_MESSAGE_LENGTH).collect();
    let cut = if start.len() < message.len() { "…" } else { "" };
    let words = start.split(|c: char| c.is_whitespace() || c.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    format!("{}{cut}", words.join(" "))
}

#[cfg(test)]
mod tests;
