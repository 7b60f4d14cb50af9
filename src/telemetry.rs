//! The log: lines for people or JSON for machines, on standard error, with panics in it.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;

use tracing::Subscriber;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::{MakeWriter, SubscriberBuilder};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::log::{LogArgs, LogFormat, colour_on_stderr};

/// Starts the log of the process; to be called once, first of all.
pub fn init(settings: &LogArgs) -> Result<(), TryInitError> {
    subscriber(settings, colour_on_stderr(), std::io::stderr).try_init()?;
    let default = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if tracing::enabled!(tracing::Level::ERROR) {
            log_panic(panic);
        } else {
            default(panic); // a silenced log must not hide it
        }
    }));
    Ok(())
}

/// The subscriber of these settings, writing to `writer`.
fn subscriber<W>(settings: &LogArgs, colour: bool, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    // The directives were checked when they were parsed; `new` would only skip a wrong one.
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
    let said = payload.downcast_ref::<&str>().copied();
    let said = said
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)");
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current().name().unwrap_or("unnamed").to_owned();
    let backtrace = Backtrace::capture(); // empty unless RUST_BACKTRACE asks for it
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(panic = said, place, thread, %backtrace, "a panic: this is a defect of the program");
    } else {
        tracing::error!(panic = said, place, thread, "a panic: this is a defect of the program");
    }
}

#[cfg(test)]
mod tests;
