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
        otlp_endpoint: None,
    };
    let lines = subscriber(&settings, false, move || writer.clone(), None);
    tracing::subscriber::with_default(lines, || {
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
    assert_eq!(value["spans"][0]["path"], "/livez");
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

/// The child is a process of its own, because the hook and RUST_BACKTRACE belong to the whole process.
#[test]
fn a_panic_is_one_line_with_its_location_and_costs_no_lasting_memory() {
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "telemetry::tests::panics", "--ignored", "--nocapture"])
        .env("RUST_BACKTRACE", "full")
        .output()
        .unwrap();
    let stderr = String::from_utf8(child.stderr).unwrap();
    let lines: Vec<&str> = stderr.lines().collect();
    assert_eq!(lines.len(), 102, "{stderr}");
    for line in &lines {
        assert!(
            line.contains("thread a-thread panicked at src/telemetry/tests.rs:") && line.contains("left: 1 right: 2"),
            "{line}"
        );
        assert!(line.len() < 500, "{line}");
    }
    let value: serde_json::Value = serde_json::from_str(lines[0]).unwrap();
    assert!(
        value["location"]
            .as_str()
            .unwrap()
            .starts_with("src/telemetry/tests.rs:"),
        "{value}"
    );
    let stdout = String::from_utf8(child.stdout).unwrap();
    let kilobytes = stdout.lines().find_map(|line| line.strip_prefix("grown by "));
    let kilobytes: i64 = kilobytes.expect(&stdout).parse().unwrap();
    assert!(kilobytes < 2048, "100 panics left {kilobytes} KiB");
}

/// Panics 101 times with a log and once without, and prints the memory that remains in use.
#[test]
#[ignore = "runs as the child of another test"]
fn panics() {
    let settings = LogArgs {
        log_format: LogFormat::Json,
        log_level: "error".to_owned(),
        otlp_endpoint: None,
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _telemetry = init(&settings, runtime.handle()).unwrap();
    panic_in_a_thread(|| {}); // the first one loads the unwinder's tables
    let before = resident_kilobytes();
    for _ in 0..100 {
        panic_in_a_thread(|| {});
    }
    panic_in_a_thread(|| {
        let silent = tracing::subscriber::NoSubscriber::new();
        std::mem::forget(tracing::subscriber::set_default(silent)); // until the thread ends
    });
    stderr::flush(stderr::FLUSH_LIMIT);
    println!("\ngrown by {}", resident_kilobytes() - before);
}

fn panic_in_a_thread(prepare: fn()) {
    let thread = std::thread::Builder::new().name("a-thread".to_owned());
    let thread = thread.spawn(move || {
        prepare();
        assert_eq!(1, 2, "two\nlines");
    });
    assert!(thread.unwrap().join().is_err());
}

fn resident_kilobytes() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim_end_matches("kB").trim().parse().unwrap()
}
