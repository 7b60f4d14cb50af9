//! Lines for standard error, written by a thread of their own: a full disk, a closed pipe or a stalled reader costs lines, never
//! the caller's time. Lost lines are counted, and logged as a number when writing works again.
//!
//! Not `eprintln!`, which panics if the write fails, and waits for a stalled reader while it holds the lock of standard error. Not
//! `tracing-appender`, which bounds lines instead of bytes, does not count lines whose write failed, and prints to standard output
//! if it cannot end.

use std::collections::VecDeque;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Bytes that may wait to be written, about 5,000 lines. Further lines are dropped.
const QUEUE_BYTES: usize = 1024 * 1024;
/// The time that lines may take to be written when the process ends.
pub const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// Erases the line of the cursor.
const ERASED_LINE: &[u8] = b"\r\x1b[2K";

static STDERR: LazyLock<LineWriter> = LazyLock::new(|| {
    // A descriptor of its own: a write that waits must not hold the lock of `io::stderr`.
    match io::stderr().as_fd().try_clone_to_owned() {
        Ok(descriptor) => LineWriter::start(File::from(descriptor), QUEUE_BYTES),
        Err(_) => LineWriter::start(io::sink(), QUEUE_BYTES),
    }
});

/// Queues a text and a line end for standard error.
pub fn line(text: impl Display) {
    STDERR.push(format!("{text}\n").as_bytes());
}

/// Shows a text below the last line, on a terminal, until the next call: lines go above it.
pub fn live(text: Option<&str>) {
    STDERR.live(text);
}

/// Waits until queued lines are written, at most for `limit`.
pub fn flush(limit: Duration) {
    STDERR.flush(limit);
}

/// Returns the writer of standard error, for the log.
pub fn writer() -> LineWriter {
    STDERR.clone()
}

/// A bounded queue of lines and the thread that writes them; clones share it.
#[derive(Clone)]
pub struct LineWriter(Arc<LineQueue>);

struct LineQueue {
    state: Mutex<QueueState>,
    /// A line was queued.
    queued: Condvar,
    /// No line waits or is being written.
    idle: Condvar,
    max_bytes: usize,
}

#[derive(Default)]
struct QueueState {
    lines: VecDeque<QueuedLine>,
    /// Bytes of `lines`.
    bytes: usize,
    is_writing: bool,
    /// Lines lost since the last report.
    dropped: u64,
    /// The number in the report that is being logged, by the writing thread.
    reporting: Option<u64>,
    /// The text below the last line.
    live: Option<String>,
}

struct QueuedLine {
    bytes: Vec<u8>,
    /// Lines that are lost if this one is not written: itself, or those that it reports.
    stands_for: u64,
}

impl LineWriter {
    /// Starts the thread that writes to `sink`. It ends with the process.
    pub fn start(sink: impl Write + Send + 'static, max_bytes: usize) -> Self {
        let queue = Arc::new(LineQueue {
            state: Mutex::default(),
            queued: Condvar::new(),
            idle: Condvar::new(),
            max_bytes,
        });
        let shared = Arc::clone(&queue);
        // Without the thread every line is dropped: the log must not stop the process.
        let _ = thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || shared.write_to(sink));
        Self(queue)
    }

    /// Queues a line, or drops it if the queue is full. Never waits for the sink.
    pub fn push(&self, line: &[u8]) {
        let mut state = self.0.lock();
        let is_full = state.bytes + line.len() > self.0.max_bytes;
        let reported = is_writer_thread().then(|| state.reporting.take()).flatten();
        if is_full && reported.is_none() {
            state.dropped += 1;
            return;
        }
        state.bytes += line.len();
        state.lines.push_back(QueuedLine {
            bytes: line.to_vec(),
            stands_for: reported.unwrap_or(1),
        });
        self.0.queued.notify_one();
    }

    /// Replaces the text below the last line.
    pub fn live(&self, text: Option<&str>) {
        let mut state = self.0.lock();
        state.live = text.map(str::to_owned);
        // Nothing but a reason to write.
        state.lines.push_back(QueuedLine {
            bytes: Vec::new(),
            stands_for: 0,
        });
        self.0.queued.notify_one();
    }

    /// Waits until no line waits, at most for `limit`.
    pub fn flush(&self, limit: Duration) {
        let state = self.0.lock();
        let waiting = |state: &mut QueueState| state.is_writing || !state.lines.is_empty();
        drop(self.0.idle.wait_timeout_while(state, limit, waiting));
    }
}

thread_local! {
    static IS_WRITER: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

fn is_writer_thread() -> bool {
    IS_WRITER.try_with(std::cell::Cell::get).unwrap_or(false)
}

impl LineQueue {
    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut sink: impl Write) {
        IS_WRITER.set(true);
        let (mut is_torn, mut has_live) = (false, false);
        loop {
            let line = self.next();
            if has_live {
                let _ = sink.write_all(ERASED_LINE); // a lost text below the lines costs nothing
            }
            let written = write_line(&mut sink, &line.bytes, &mut is_torn);
            if !written {
                self.lock().dropped += line.stands_for;
            } else if let Some(dropped) = self.begin_report() {
                // Through the log, for its format and its filter; `push` is called by this statement.
                tracing::warn!(
                    lines = dropped,
                    "dropped {dropped} log lines, because standard error could not be written or was not read"
                );
                self.lock().reporting = None;
            }
            let live = self.lock().live.clone();
            has_live = live.is_some_and(|text| sink.write_all(text.as_bytes()).is_ok());
        }
    }

    /// Waits for a line and takes it.
    fn next(&self) -> QueuedLine {
        let mut state = self.lock();
        state.is_writing = false;
        loop {
            if let Some(line) = state.lines.pop_front() {
                state.bytes -= line.bytes.len();
                state.is_writing = true;
                return line;
            }
            self.idle.notify_all();
            state = self.queued.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn begin_report(&self) -> Option<u64> {
        let mut state = self.lock();
        let dropped = std::mem::take(&mut state.dropped);
        state.reporting = (dropped > 0).then_some(dropped);
        state.reporting
    }
}

/// Writes a whole line, after a line end if the one before was written in part. Returns whether it was written.
fn write_line(sink: &mut impl Write, line: &[u8], is_torn: &mut bool) -> bool {
    if *is_torn {
        if sink.write_all(b"\n").is_err() {
            return false;
        }
        *is_torn = false;
    }
    let mut rest = line;
    while !rest.is_empty() {
        match sink.write(rest) {
            Ok(0) => return false,
            Ok(written) => {
                rest = &rest[written..];
                *is_torn = !rest.is_empty();
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return false,
        }
    }
    true
}

impl Write for LineWriter {
    /// Takes `bytes` as one line: the log formats a whole line before it writes.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LineWriter {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests;
