use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

/// A sink that can be broken, and that shows what was written.
#[derive(Clone, Default)]
struct TestSink {
    broken: Arc<AtomicBool>,
    written: Arc<Mutex<Vec<u8>>>,
}

impl TestSink {
    fn text(&self) -> String {
        String::from_utf8(self.written.lock().unwrap().clone()).unwrap()
    }
}

impl Write for TestSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.written.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A sink that waits for a permit before each write.
struct GatedSink {
    gate: mpsc::Receiver<()>,
    sink: TestSink,
}

impl Write for GatedSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.gate.recv(); // an error: the gate stays open
        self.sink.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn dropped(writer: &LineWriter) -> u64 {
    writer.0.lock().dropped
}

#[test]
fn lines_are_written_in_order_and_a_flush_waits_for_them() {
    let sink = TestSink::default();
    let writer = LineWriter::start(sink.clone(), 1000);
    for number in 0..20 {
        writer.push(format!("line {number}\n").as_bytes());
    }
    writer.flush(PATIENCE);
    let expected: String = (0..20).map(|number| format!("line {number}\n")).collect();
    assert_eq!(sink.text(), expected);
}

#[test]
fn lines_that_cannot_be_written_are_counted() {
    let sink = TestSink::default();
    let writer = LineWriter::start(sink.clone(), 1000);
    sink.broken.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        writer.push(b"lost\n");
    }
    writer.flush(PATIENCE);
    assert_eq!(dropped(&writer), 5);
    sink.broken.store(false, Ordering::SeqCst);
    writer.push(b"written\n");
    writer.flush(PATIENCE);
    assert_eq!((sink.text().as_str(), dropped(&writer)), ("written\n", 0));
}

#[test]
fn a_stalled_reader_costs_lines_beyond_the_queue_and_no_time() {
    let sink = TestSink::default();
    let (open, gate) = mpsc::channel();
    let gated = GatedSink {
        gate,
        sink: sink.clone(),
    };
    let writer = LineWriter::start(gated, 100);
    for _ in 0..30 {
        writer.push(b"ten bytes\n");
    }
    let lost = dropped(&writer);
    assert!((19..=20).contains(&lost), "{lost} were dropped"); // one may have been taken by the thread
    writer.flush(Duration::from_millis(10)); // returns although nothing was written
    assert_eq!(sink.text(), "");
    drop(open);
    writer.flush(PATIENCE);
    assert_eq!(sink.text().lines().count() as u64, 30 - lost);
}

#[test]
fn a_line_after_a_torn_one_begins_on_a_line_of_its_own() {
    let (mut buffer, mut is_torn) = ([0; 20], false);
    let mut sink = &mut buffer[..4];
    assert!(!write_line(&mut sink, b"torn line\n", &mut is_torn));
    let mut whole = Vec::new();
    assert!(write_line(&mut whole, b"next\n", &mut is_torn));
    assert_eq!((whole.as_slice(), is_torn), (&b"\nnext\n"[..], false));
}
