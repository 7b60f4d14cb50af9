//! The disposition of jobs after a failed fetch: one table.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::RngExt;

use crate::avinode::client::error::{FetchError, FetchErrorKind};
use crate::avinode::resource::Resource;
use crate::queue::admin::DIED;
use crate::queue::handler::UnfinishedJobs;
use crate::queue::job::{ClaimedJob, JobError};
use crate::queue::job_kind::JobKind;
use crate::queue::outcomes::JobOutcome;
use crate::queue::rate_limit::state::CallOutcome;

/// A resource that is not found for this long after its notification will not come.
const NOT_FOUND_LIMIT: Duration = Duration::from_secs(30 * 60);
/// The delay after a 429 that names none, or a longer one than the maximum.
const RATE_LIMITED_DELAY: Duration = Duration::from_secs(30);
const RATE_LIMITED_DELAY_MAX: Duration = Duration::from_secs(3600);
/// The delay after a 403. Meanwhile other keys are tried, which shows whether only this resource is refused.
const FORBIDDEN_DELAY: Duration = Duration::from_secs(600);
/// A resource that is refused this often while others are answered is given up.
const FORBIDDEN_LIMIT: usize = 5;
/// The beginning of the history line of such a refusal.
const REFUSED_ALONE: &str = "only this resource is refused: ";

/// Histories of jobs, by job.
type JobHistories = HashMap<i64, Vec<String>>;

/// Returns the outcome of a call for the rate limit.
pub(super) fn call_outcome(resource: &Resource, error: Option<&FetchError>) -> CallOutcome {
    let Some(error) = error else {
        return CallOutcome::Success;
    };
    match error.kind {
        FetchErrorKind::RateLimited { after } => CallOutcome::RateLimited { retry_after: after },
        FetchErrorKind::Unauthorized | FetchErrorKind::Forbidden => CallOutcome::Unauthorized {
            reason: error.to_string(),
        },
        _ if error.trips_breaker() => CallOutcome::Failure {
            key: resource.id.to_string(),
        },
        _ => CallOutcome::Success,
    }
}

/// Returns whether the refusal may concern only this resource: a 403 while the credentials were accepted. One that follows
/// others concerns the credentials.
pub(super) fn is_own_refusal(error: &FetchError, was_suspended: bool) -> bool {
    error.kind == FetchErrorKind::Forbidden && !was_suspended
}

/// Returns the outcomes of the jobs that are finished by the error, and the others. `histories`: given for a refusal that may
/// concern only this resource.
pub(super) fn dispositions(
    error: &FetchError,
    jobs: &[ClaimedJob],
    histories: Option<&JobHistories>,
    now: DateTime<Utc>,
) -> (Vec<JobOutcome>, UnfinishedJobs) {
    let (mut outcomes, mut unfinished) = (Vec::new(), Vec::new());
    for job in jobs {
        let refusals = histories.map(|all| all.get(&job.id).map_or(0, |history| refusals(history)));
        match disposition(error, job, refusals, now) {
            Ok(detail) => outcomes.push(JobOutcome::new(job.id, "gone", detail)),
            Err(error) => unfinished.push((job.id, error)),
        }
    }
    (outcomes, unfinished)
}

/// Counts the refusals of only this resource since the job was last retried by an admin.
fn refusals(history: &[String]) -> usize {
    let current = history.iter().rev().take_while(|line| !line.starts_with(DIED));
    current.filter(|line| line.starts_with(REFUSED_ALONE)).count()
}

/// `Ok`: the resource does not exist, and the job is finished; with Avinode's answer.
fn disposition(
    error: &FetchError,
    job: &ClaimedJob,
    refusals: Option<usize>,
    now: DateTime<Utc>,
) -> Result<String, JobError> {
    let reason = error.reason();
    match error.kind {
        FetchErrorKind::Retryable { after: None, .. } => Err(JobError::retry(reason)),
        FetchErrorKind::Retryable { after: Some(after), .. } => Err(JobError::retry_after(reason, after)),
        // Neither is the job's fault, and the rate limit delays all jobs: no attempt is counted.
        FetchErrorKind::RateLimited { after } => {
            let delay = after.unwrap_or(RATE_LIMITED_DELAY).min(RATE_LIMITED_DELAY_MAX);
            Err(JobError::snooze(reason, delay))
        }
        FetchErrorKind::Unauthorized => Err(JobError::snooze(reason, Duration::from_secs(5))),
        FetchErrorKind::Forbidden => Err(match refusals {
            // Everything is refused.
            None => JobError::snooze(reason, FORBIDDEN_DELAY),
            Some(before) if before + 1 >= FORBIDDEN_LIMIT => JobError::fail(format!(
                "Avinode refuses this resource (403) though it answers others: {reason}"
            )),
            Some(_) => JobError::retry_after(format!("{REFUSED_ALONE}{reason}"), FORBIDDEN_DELAY),
        }),
        FetchErrorKind::NotFound => {
            let age = (now - job.created_at).to_std().unwrap_or_default();
            let of_trip = job.key.as_deref().is_some_and(|key| key.starts_with("atrip-"));
            match job.kind {
                // A follow-up of a trip is about its other id, long after the trip was made.
                JobKind::FetchNotified | JobKind::FetchFollowUp
                    if age < NOT_FOUND_LIMIT && !(of_trip && job.kind == JobKind::FetchFollowUp) =>
                {
                    let longest = age.clamp(Duration::from_secs(2), Duration::from_secs(300));
                    Err(JobError::snooze(reason, rand::rng().random_range(longest / 2..longest)))
                }
                JobKind::FetchNotified => {
                    let minutes = NOT_FOUND_LIMIT.as_secs() / 60;
                    Err(JobError::fail(format!(
                        "not found {minutes} minutes after its notification: {reason}"
                    )))
                }
                _ => Ok(reason.to_owned()),
            }
        }
        // Deleting a resource is no error. What was known about it stays, and the outcome says that it is gone.
        FetchErrorKind::Gone => Ok(reason.to_owned()),
        FetchErrorKind::Permanent => Err(JobError::fail(reason)),
    }
}

#[cfg(test)]
mod tests;
