//! The log on standard error, as text or JSON, including panics, and the export of its spans. docs/logging.md has the rules for its
//! lines.

pub mod metric_catalogue;
pub mod repeated_warnings;
#[cfg(feature = "otlp")]
mod span_export;

use std::panic::PanicHookInfo;

use tokio::runtime::Handle;
use tracing::Subscriber;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::{Layered, SubscriberExt};
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, Registry};

use self::repeated_warnings::RepeatedWarnings;
#[cfg(feature = "otlp")]
use self::span_export::{SpanExport, SpanExportError};
use crate::config::log::{LogArgs, LogFormat, colour_on_stderr};
use crate::stderr;

/// The longest part of a panic's message that is logged, in characters.
const PANIC_MESSAGE_LENGTH: usize = 500;

/// The export of spans, where there is one.
#[derive(Debug, Default)]
pub struct Telemetry {
    #[cfg(feature = "otlp")]
    export: Option<SpanExport>,
}

impl Telemetry {
    /// Sends the last spans.
    pub fn end(self) {
        #[cfg(feature = "otlp")]
        drop(self.export);
    }
}

#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    #[error(transparent)]
    Log(#[from] TryInitError),
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    Export(#[from] SpanExportError),
}

/// Starts the log of the process, and the export of spans. Call it once, before anything logs. The export runs on `runtime`, until
/// [`Telemetry::end`].
pub fn init(settings: &LogArgs, runtime: &Handle) -> Result<Telemetry, TelemetryError> {
    let endpoint = settings.otlp_endpoint.as_deref().filter(|url| !url.is_empty());
    #[cfg(feature = "otlp")]
    let telemetry = {
        let export = endpoint.map(|url| SpanExport::start(url, runtime)).transpose()?;
        let layer = export.as_ref().map(|export| export.layer().boxed());
        subscriber(settings, colour_on_stderr(), stderr::writer(), layer).try_init()?;
        Telemetry { export }
    };
    #[cfg(not(feature = "otlp"))]
    let telemetry = {
        let _ = runtime;
        subscriber(settings, colour_on_stderr(), stderr::writer(), None).try_init()?;
        if endpoint.is_some() {
            tracing::warn!(
                "OTEL_EXPORTER_OTLP_ENDPOINT is ignored: this program exports no spans, build it with `--features otlp`"
            );
        }
        Telemetry::default()
    };
    // Instead of the default hook, not before it: with RUST_BACKTRACE that one reads the debug information of the whole program,
    // keeps it in memory, and writes 33 KB.
    std::panic::set_hook(Box::new(log_panic));
    Ok(telemetry)
}

/// The subscriber below the layers, which drops spans and events below the level of the log.
type Filtered = Layered<EnvFilter, Registry>;
type BoxedLayer = Box<dyn Layer<Filtered> + Send + Sync>;

/// `more` gets the same spans as the log.
fn subscriber<W>(
    settings: &LogArgs,
    colour: bool,
    writer: W,
    more: Option<BoxedLayer>,
) -> impl Subscriber + Send + Sync + use<W>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer()
        .log_internal_errors(false) // it would be an `eprintln!`
        .with_writer(writer);
    let lines = match settings.log_format {
        LogFormat::Pretty => lines.with_ansi(colour).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
    };
    let layers: Vec<BoxedLayer> = std::iter::once(lines).chain(more).collect();
    // The directives were validated by `config`; `new` skips an invalid one.
    let filter = EnvFilter::new(&settings.log_level);
    tracing_subscriber::registry()
        .with(filter)
        .with(layers)
        .with(RepeatedWarnings)
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
