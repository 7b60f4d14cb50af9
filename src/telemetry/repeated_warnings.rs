//! Limits warnings and errors to one line per second for each statement and cause: a fault of the database, or a backlog of
//! bodies of an unknown format, fails thousands of jobs and requests for one reason. What is left out is counted.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// The lines of this process, as global as its log.
static LINES: LazyLock<RepeatedLines> = LazyLock::new(RepeatedLines::default);

const SECOND: Duration = Duration::from_secs(1);
const REPORT_EVERY: Duration = Duration::from_secs(10);
/// The number of causes with a line of their own; further causes of a statement share one. Bounded, because some contain text
/// of senders.
const MAX_CAUSES: usize = 1_000;

/// Leaves lines out while [`run`] runs.
pub struct RepeatedWarnings;

impl<S: Subscriber> Layer<S> for RepeatedWarnings {
    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        let metadata = event.metadata();
        if *metadata.level() > Level::WARN || metadata.target() == module_path!() || !LINES.lock().limits {
            return true;
        }
        let mut message = Message(String::new());
        event.record(&mut message);
        LINES.admit(&metadata.callsite(), &message.0, Instant::now())
    }
}

/// Limits the lines, and says every ten seconds how many were left out. Never returns; when it is dropped, nothing is limited.
pub async fn run() {
    let _limiting = Limiting::begin();
    let mut ticks = interval(REPORT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        LINES.report(Instant::now());
    }
}

struct Limiting;

impl Limiting {
    fn begin() -> Self {
        LINES.lock().limits = true;
        Self
    }
}

impl Drop for Limiting {
    fn drop(&mut self) {
        LINES.lock().limits = false;
        LINES.report(Instant::now());
    }
}

#[derive(Default)]
struct RepeatedLines(Mutex<Causes>);

#[derive(Default)]
struct Causes {
    limits: bool,
    seen: HashMap<u64, Cause>,
}

struct Cause {
    written: Instant,
    left_out: u64,
    /// The last message that was left out.
    example: String,
}

impl RepeatedLines {
    fn lock(&self) -> MutexGuard<'_, Causes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(&self, statement: &impl Hash, message: &str, now: Instant) -> bool {
        let mut causes = self.lock();
        let seen = &mut causes.seen;
        let mut key = key(statement, cause(message));
        if !seen.contains_key(&key) && seen.len() >= MAX_CAUSES {
            key = self::key(statement, "");
        }
        match seen.get_mut(&key) {
            Some(cause) if now.saturating_duration_since(cause.written) < SECOND => {
                cause.left_out += 1;
                message.clone_into(&mut cause.example);
                false
            }
            Some(cause) => {
                cause.written = now;
                true
            }
            None => {
                seen.insert(
                    key,
                    Cause {
                        written: now,
                        left_out: 0,
                        example: String::new(),
                    },
                );
                true
            }
        }
    }

    /// Says what was left out since the last report, and forgets causes that are over.
    fn report(&self, now: Instant) {
        let mut left_out = Vec::new();
        self.lock().seen.retain(|_, cause| {
            if cause.left_out > 0 {
                left_out.push((std::mem::take(&mut cause.left_out), std::mem::take(&mut cause.example)));
            }
            now.saturating_duration_since(cause.written) < REPORT_EVERY
        });
        // Not while it is locked: these statements come back to this layer.
        for (lines, example) in left_out {
            tracing::warn!(
                lines,
                "left out {lines} lines like this one in the last 10 s: {example}"
            );
        }
    }
}

fn key(statement: &impl Hash, cause: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    statement.hash(&mut hasher);
    cause
        .bytes()
        .filter(|byte| !byte.is_ascii_digit())
        .for_each(|byte| hasher.write_u8(byte));
    hasher.finish()
}

/// The part after the first colon, by the rules for messages (docs/logging.md); without one, the message.
fn cause(message: &str) -> &str {
    message.split_once(": ").map_or(message, |(_, cause)| cause)
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        }
    }
}

#[cfg(test)]
mod tests;
