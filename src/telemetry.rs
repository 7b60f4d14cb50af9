//! The log on standard error, as text or JSON, including panics. docs/logging.md has the rules for its lines.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{MakeWriter, SubscriberBuilder};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::log::{LogArgs, LogFormat, colour_on_stderr};

/// Starts the log of the process. Call it once, before anything logs.
pub fn init(settings: &LogArgs) -> Result<(), TryInitError> {
    subscriber(settings, colour_on_stderr(), std::io::stderr).try_init()?;
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if tracing::enabled!(tracing::Level::ERROR) {
            log_panic(panic);
        } else {
            default(panic); // not hidden by a disabled log
        }
    }));
    Ok(())
}

fn subscriber<W>(settings: &LogArgs, colour: bool, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // The directives were validated by `config`; `new` skips an invalid one.
    let lines = SubscriberBuilder::default()
        .with_env_filter(EnvFilter::new(&settings.log_level))
        .with_writer(writer);
    match settings.log_format {
        LogFormat::Pretty => Box::new(lines.with_ansi(colour).finish()),
        LogFormat::Json => Box::new(lines.json().flatten_event(true).with_span_list(false).finish()),
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let payload = panic.payload();
    let message = payload.downcast_ref::<&str>().copied();
    let message = message
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
    let backtrace = Backtrace::capture(); // disabled unless RUST_BACKTRACE is set
    let captured = backtrace.status() == BacktraceStatus::Captured;
    let backtrace = captured.then(|| tracing::field::display(backtrace));
    tracing::error!(
        thread,
        place,
        backtrace,
        "thread {thread} panicked at {place}: {message}"
    );
}

#[cfg(test)]
mod tests;
