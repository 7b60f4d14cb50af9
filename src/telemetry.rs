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
    match settings.log {
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
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(log: LogFormat, log_level: &str) -> String {
        let captured = Captured::default();
        let writer = captured.clone();
        let settings = LogArgs {
            log,
            log_level: log_level.to_owned(),
        };
        tracing::subscriber::with_default(subscriber(&settings, false, move || writer.clone()), || {
            let _span = tracing::info_span!("request", path = "/livez").entered();
            tracing::info!(count = 3, "received");
        });
        String::from_utf8(captured.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn json_is_one_object_a_line_with_the_fields_at_the_top() {
        let line = logged(LogFormat::Json, "info");
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["message"], "received");
        assert_eq!(value["count"], 3);
        assert_eq!(value["span"]["path"], "/livez");
    }

    #[test]
    fn pretty_is_one_plain_line_where_colour_is_not_wanted() {
        let line = logged(LogFormat::Pretty, "info");
        assert!(line.contains("INFO") && line.contains("received count=3"), "{line}");
        assert!(
            line.ends_with('\n') && line.lines().count() == 1 && !line.contains('\u{1b}'),
            "{line:?}"
        );
    }

    #[test]
    fn what_is_below_the_level_is_not_written() {
        assert_eq!(logged(LogFormat::Pretty, "warn"), "");
    }
}
