//! The disposition of a job that a handler left unfinished: one table for all workers.

use std::time::Duration;

use rand::RngExt;

use super::job::{ClaimedJob, JobError};
use super::release::RescheduledJob;
use super::retry::RetryPolicy;

/// Milliseconds after which contention is over, different for all that met at one lock.
const CONTENTION_DELAY: std::ops::Range<u64> = 5..60;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobDisposition {
    Reschedule(RescheduledJob),
    /// With the reason.
    DeadLetter(String),
}

/// Decides between another attempt and the dead letters.
pub fn disposition(job: &ClaimedJob, error: &JobError, policy: &RetryPolicy) -> JobDisposition {
    let (delay, counts_attempt) = match error {
        JobError::Snooze { after, .. } => (*after, false),
        JobError::Contention(_) => (Duration::from_millis(rand::rng().random_range(CONTENTION_DELAY)), false),
        JobError::Retry { after, .. } if job.attempts < policy.max_attempts => {
            (after.unwrap_or_else(|| policy.delay(job.attempts)), true)
        }
        JobError::Retry { reason, .. } => {
            return JobDisposition::DeadLetter(format!("gave up after {} attempts: {reason}", job.attempts));
        }
        JobError::Fail(reason) => return JobDisposition::DeadLetter(reason.clone()),
    };
    JobDisposition::Reschedule(RescheduledJob {
        job: job.clone(),
        delay,
        counts_attempt,
        note: (!matches!(error, JobError::Contention(_))).then(|| error.to_string()),
    })
}

#[cfg(test)]
mod tests;
