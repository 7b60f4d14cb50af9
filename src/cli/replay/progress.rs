//! How far it is: a bar where somebody watches, now and then a line where a log is kept; refusals in words either way.

use std::io::{IsTerminal, stderr};
use std::sync::atomic::{AtomicUsize, Ordering};

use indicatif::{ProgressBar, ProgressStyle};

use super::sender::SendResult;

/// How many refusals are told one by one; the summary counts them all.
const TOLD: usize = 5;
/// How much of a refusal's text is shown.
const SHOWN: usize = 200;
/// A terminal's bar.
const BAR: &str = "{wide_bar} {pos}/{len} {per_sec} {eta}";

/// The progress of sending, on standard error.
pub struct ReplayProgress {
    total: usize,
    done: AtomicUsize,
    refused: AtomicUsize,
    bar: Option<ProgressBar>,
}

impl ReplayProgress {
    /// Begins; `total` deliveries are to come.
    pub fn new(total: usize) -> Self {
        let bar = stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total as u64).with_style(style)
        });
        Self {
            total,
            done: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            bar,
        }
    }

    /// One more is done.
    pub fn step(&self, name: &str, outcome: &SendResult) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(wrong) = wrong(outcome) {
            match self.refused.fetch_add(1, Ordering::Relaxed) {
                before if before < TOLD => self.line(&format!("{name}: {wrong}")),
                TOLD => self.line("further refusals are only counted"),
                _ => {}
            }
        }
        match &self.bar {
            Some(bar) => bar.inc(1),
            None if is_tenth(done, self.total) => eprintln!("{done} of {} sent", self.total),
            None => {}
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
    }

    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => eprintln!("{text}"),
        }
    }
}

/// Why a delivery is not kept, on one line; nothing when it is.
fn wrong(outcome: &SendResult) -> Option<String> {
    let text = match outcome {
        Ok(answer) if answer.kept() => return None,
        Ok(answer) => format!("answered {}: {}", answer.status, answer.said),
        Err(error) => format!("not sent: {error}"),
    };
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(SHOWN)
        .collect();
    Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Whether this one completes a tenth of all: at most ten lines, however many are sent.
fn is_tenth(done: usize, total: usize) -> bool {
    done * 10 / total.max(1) != (done - 1) * 10 / total.max(1)
}

#[cfg(test)]
mod tests;
