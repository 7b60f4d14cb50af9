//! The activity summary: accepted deliveries, API writes, applied jobs and changed sessions are counted, and logged as at
//! most one `info` line per second. One line for each would be most of the log, and say little.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

/// The counters of this process, as global as its log.
pub static ACTIVITY: ActivityLog = ActivityLog::new();

const INTERVAL: Duration = Duration::from_secs(1);

/// Counts of completed work since the previous summary.
#[derive(Debug, Default)]
pub struct ActivityLog {
    deliveries: AtomicU64,
    api_writes: AtomicU64,
    jobs: AtomicU64,
    ignored: AtomicU64,
    sessions: AtomicU64,
    other_bodies: AtomicU64,
}

/// The counts of one summary.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct ActivitySummary {
    deliveries: u64,
    api_writes: u64,
    jobs: u64,
    ignored: u64,
    sessions: u64,
    other_bodies: u64,
}

impl ActivityLog {
    pub const fn new() -> Self {
        Self {
            deliveries: AtomicU64::new(0),
            api_writes: AtomicU64::new(0),
            jobs: AtomicU64::new(0),
            ignored: AtomicU64::new(0),
            sessions: AtomicU64::new(0),
            other_bodies: AtomicU64::new(0),
        }
    }

    /// Counts a delivery that is durable.
    pub fn delivery_received(&self) {
        self.deliveries.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an API call that wrote.
    pub fn api_write(&self) {
        self.api_writes.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the jobs and the changed sessions of a committed apply transaction.
    pub fn jobs_applied(&self, jobs: u64, sessions: u64) {
        self.jobs.fetch_add(jobs, Ordering::Relaxed);
        self.sessions.fetch_add(sessions, Ordering::Relaxed);
    }

    /// Counts jobs whose events have no meaning for sessions.
    pub fn jobs_ignored(&self, jobs: u64) {
        self.ignored.fetch_add(jobs, Ordering::Relaxed);
    }

    /// Counts events that were received again with another body. The outcomes of their jobs name the deliveries.
    pub fn received_with_another_body(&self, events: u64) {
        self.other_bodies.fetch_add(events, Ordering::Relaxed);
    }

    /// Writes a summary every second in which something was counted. Never returns.
    pub async fn run(&self) {
        let mut ticks = interval(INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.write();
        }
    }

    /// Writes a summary, if anything was counted since the previous one.
    pub fn write(&self) {
        let summary = self.take();
        if summary != ActivitySummary::default() {
            let ActivitySummary {
                deliveries,
                api_writes,
                jobs,
                ignored,
                sessions,
                other_bodies,
            } = summary;
            tracing::info!(
                deliveries,
                api_writes,
                jobs,
                ignored,
                sessions,
                other_bodies,
                "{summary}"
            );
        }
    }

    fn take(&self) -> ActivitySummary {
        let take = |counter: &AtomicU64| counter.swap(0, Ordering::Relaxed);
        ActivitySummary {
            deliveries: take(&self.deliveries),
            api_writes: take(&self.api_writes),
            jobs: take(&self.jobs),
            ignored: take(&self.ignored),
            sessions: take(&self.sessions),
            other_bodies: take(&self.other_bodies),
        }
    }
}

/// For example `70 deliveries received, 64 jobs applied, 1 session changed`.
impl fmt::Display for ActivitySummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (count, one, many) in [
            (self.deliveries, "delivery received", "deliveries received"),
            (self.api_writes, "API write", "API writes"),
            (self.jobs, "job applied", "jobs applied"),
            (self.ignored, "job ignored", "jobs ignored"),
            (self.sessions, "session changed", "sessions changed"),
            (
                self.other_bodies,
                "event received again with another body",
                "events received again with another body",
            ),
        ] {
            if count > 0 {
                let noun = if count == 1 { one } else { many };
                write!(f, "{separator}{count} {noun}")?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
