//! What becomes of a job that a handler left unfinished: one table for all workers.

use std::time::Duration;

use rand::RngExt;

use super::job::{ClaimedJob, JobError};
use super::release::RescheduledJob;
use super::retry::RetryPolicy;

/// Others' locks are gone within moments. Not the same moment for all who met there.
const MOMENT: std::ops::Range<u64> = 5..60;

/// What becomes of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobDisposition {
    /// It comes back.
    Reschedule(RescheduledJob),
    /// It is dead, for this reason.
    DeadLetter(String),
}

/// What becomes of a job after this.
pub fn remedy(job: &ClaimedJob, error: &JobError, policy: &RetryPolicy) -> JobDisposition {
    let (delay, counts) = match error {
        JobError::Snooze { after, .. } => (*after, false),
        JobError::Contention(_) => (Duration::from_millis(rand::rng().random_range(MOMENT)), false),
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
        counts,
        noted: (!matches!(error, JobError::Contention(_))).then(|| error.to_string()),
    })
}

#[cfg(test)]
mod tests;
