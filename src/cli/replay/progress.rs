//! Progress on standard error: a bar on a terminal, up to ten lines elsewhere; and the first refusals.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::sender::SendResult;
use crate::domain::terminal_text::is_unsafe;
use crate::stderr;

/// Further refusals are only counted, in the summary.
const MAX_REFUSALS: usize = 5;
/// Length of a refusal's text, in characters.
const MAX_REFUSAL_LENGTH: usize = 200;
/// The command goes on after this time, even if a line is not written yet.
const WRITE_LIMIT: Duration = Duration::from_millis(100);
const BAR: &str = "{wide_bar} {pos}/{len} {per_sec} {eta}";

pub struct ReplayProgress {
    total: usize,
    refused: AtomicUsize,
    /// Draws nothing where standard error is not a terminal.
    bar: ProgressBar,
}

impl ReplayProgress {
    pub fn new(total: usize) -> Self {
        let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self {
            total,
            refused: AtomicUsize::new(0),
            bar: ProgressBar::new(total as u64).with_style(style),
        }
    }

    /// Counts a delivery. Called by one task.
    pub fn step(&self, name: &str, result: &SendResult) {
        self.bar.inc(1);
        if let Some(refusal) = refusal(result) {
            match self.refused.fetch_add(1, Ordering::Relaxed) {
                before if before < MAX_REFUSALS => self.line(&format!("{name}: {refusal}")),
                MAX_REFUSALS => self.line("further refusals are only counted"),
                _ => {}
            }
        }
        let done = usize::try_from(self.bar.position()).unwrap_or(usize::MAX);
        if self.bar.is_hidden() && is_tenth(done, self.total) {
            stderr::line(format_args!("{done} of {} sent", self.total));
        }
    }

    /// Waits for the lines that are being written, so that they come before the summary on standard output.
    pub fn finish(self) {
        self.bar.finish_and_clear();
        stderr::flush(WRITE_LIMIT);
    }

    fn line(&self, text: &str) {
        self.bar.suspend(|| {
            stderr::line(text);
            stderr::flush(WRITE_LIMIT);
        });
    }
}

/// One line for a delivery that was not accepted.
fn refusal(result: &SendResult) -> Option<String> {
    let text = match result {
        Ok(response) if response.accepted() => return None,
        Ok(response) => format!("answered {}: {}", response.status, response.body),
        Err(error) => format!("not sent: {error}"),
    };
    let text: String = text
        .chars()
        .map(|c| if is_unsafe(c) { ' ' } else { c })
        .take(MAX_REFUSAL_LENGTH)
        .collect();
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Returns whether this delivery completes a tenth of all.
fn is_tenth(done: usize, total: usize) -> bool {
    done * 10 / total.max(1) != (done - 1) * 10 / total.max(1)
}

#[cfg(test)]
mod tests;
