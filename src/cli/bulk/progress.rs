//! Progress of a batch on standard error: a line that is rewritten on a terminal, a line per so many rows elsewhere.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use indicatif::ProgressBar;
use tokio_util::sync::CancellationToken;

use crate::admin::batches::observer::BatchObserver;
use crate::stderr;
use crate::store::batches::BatchRow;

/// Rows between two lines where standard error is not a terminal.
const ROWS_PER_LINE: i64 = 2_000;
/// The command goes on after this time, even if a line is not written yet.
const WRITE_LIMIT: Duration = Duration::from_millis(100);

pub struct BatchProgress {
    stop: CancellationToken,
    /// Draws nothing where standard error is not a terminal.
    bar: ProgressBar,
    /// Rows at the last line.
    shown: AtomicI64,
    waits: AtomicBool,
}

impl BatchProgress {
    pub fn new(stop: CancellationToken) -> Self {
        Self {
            stop,
            bar: ProgressBar::new_spinner(),
            shown: AtomicI64::new(0),
            waits: AtomicBool::new(false),
        }
    }

    /// Waits for the lines that are being written, so that they come before the summary on standard output.
    pub fn finish(self) {
        self.bar.finish_and_clear();
        stderr::flush(WRITE_LIMIT);
    }
}

impl BatchObserver for BatchProgress {
    fn stops(&self) -> bool {
        self.stop.is_cancelled()
    }

    fn stepped(&self, batch: &BatchRow, waits: bool) {
        let began_to_wait = waits && !self.waits.swap(waits, Ordering::Relaxed);
        self.waits.store(waits, Ordering::Relaxed);
        let note = if waits { ", waits until fewer jobs are due" } else { "" };
        let text = format!("{} selected, {} changed{note}", batch.selected, batch.changed);
        if !self.bar.is_hidden() {
            self.bar.set_message(text);
            self.bar.tick();
            return;
        }
        let shown = self.shown.load(Ordering::Relaxed);
        if began_to_wait || batch.selected > shown + ROWS_PER_LINE {
            self.shown.store(batch.selected, Ordering::Relaxed);
            stderr::line(text);
        }
    }
}
