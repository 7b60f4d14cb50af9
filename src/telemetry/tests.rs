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

fn logged(log_format: LogFormat, log_level: &str) -> String {
    let captured = Captured::default();
    let writer = captured.clone();
    let settings = LogArgs {
        log_format,
        log_level: log_level.to_owned(),
    };
    tracing::subscriber::with_default(subscriber(&settings, false, move || writer.clone()), || {
        let _span = tracing::info_span!("request", path = "/livez").entered();
        tracing::info!(count = 3, "received");
    });
    String::from_utf8(captured.0.lock().unwrap().clone()).unwrap()
}

#[test]
fn json_is_one_object_per_line_with_top_level_fields() {
    let line = logged(LogFormat::Json, "info");
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(value["message"], "received");
    assert_eq!(value["count"], 3);
    assert_eq!(value["span"]["path"], "/livez");
}

#[test]
fn pretty_without_colour_is_one_plain_line() {
    let line = logged(LogFormat::Pretty, "info");
    assert!(line.contains("INFO") && line.contains("received count=3"), "{line}");
    assert!(
        line.ends_with('\n') && line.lines().count() == 1 && !line.contains('\u{1b}'),
        "{line:?}"
    );
}

#[test]
fn events_below_the_level_are_not_written() {
    assert_eq!(logged(LogFormat::Pretty, "warn"), "");
}
