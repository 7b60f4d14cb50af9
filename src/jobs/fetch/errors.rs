//! The disposition of jobs after a failed fetch: one table.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::RngExt;

use crate::avinode::client::error::{FetchError, FetchErrorKind};
use crate::avinode::resource::{Resource, ResourceKind};
use crate::domain::ids::ResourceId;
use crate::queue::admin_actions::DIED;
use crate::queue::handler::UnfinishedJobs;
use crate::queue::job::{ClaimedJob, JobError};
use crate::queue::job_kind::JobKind;
use crate::queue::outcomes::JobOutcome;
use crate::queue::rate_limit::restrictions::RefusalScope;
use crate::queue::rate_limit::state::CallOutcome;

/// A resource that is not found for this long after its notification will not come.
const NOT_FOUND_LIMIT: Duration = Duration::from_secs(30 * 60);
/// The delay after a 429 that names none, or a longer one than the maximum.
const RATE_LIMITED_DELAY: Duration = Duration::from_secs(30);
const RATE_LIMITED_DELAY_MAX: Duration = Duration::from_secs(3600);
/// The delay after a refusal (401 or 403) of a resource. Meanwhile other keys are tried, which shows whether only this
/// resource is refused.
const REFUSED_DELAY: Duration = Duration::from_secs(600);
/// A resource that is refused this often while others are answered is given up.
const REFUSED_LIMIT: usize = 5;
/// The delay after a 401 that suspends the credentials: the suspension delays all jobs.
const SUSPENDED_DELAY: Duration = Duration::from_secs(5);
/// The beginning of the history line of such a refusal.
const REFUSED_ALONE: &str = "only this resource is refused: ";

/// Histories of jobs, by job.
type JobHistories = HashMap<i64, Vec<String>>;

/// Returns the outcome of a call for the rate limit.
pub(super) fn call_outcome(resource: &Resource, jobs: &[ClaimedJob], error: Option<&FetchError>) -> CallOutcome {
    let Some(error) = error else {
        return CallOutcome::Success;
    };
    let key = jobs.iter().find_map(|job| job.key.clone());
    let key = key.unwrap_or_else(|| resource.key());
    match error.kind {
        FetchErrorKind::RateLimited { after } => CallOutcome::RateLimited { retry_after: after },
        FetchErrorKind::Unauthorized | FetchErrorKind::Forbidden => CallOutcome::Unauthorized {
            key,
            reason: error.to_string(),
            // A claim counts the attempt.
            retried: jobs.iter().any(|job| job.attempts > 1),
        },
        _ if error.trips_breaker() => CallOutcome::Failure { key },
        _ => CallOutcome::Success,
    }
}

/// Returns the outcomes of the jobs that are finished by the error, and the others. `histories`: needed for a refusal of only
/// this resource.
pub(super) fn dispositions(
    error: &FetchError,
    jobs: &[ClaimedJob],
    refusal: Option<RefusalScope>,
    histories: &JobHistories,
    now: DateTime<Utc>,
) -> (Vec<JobOutcome>, UnfinishedJobs) {
    let (mut outcomes, mut unfinished) = (Vec::new(), Vec::new());
    for job in jobs {
        let before = histories.get(&job.id).map_or(0, |history| refusals(history));
        match disposition(error, job, refusal.unwrap_or(RefusalScope::Credentials), before, now) {
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
    refusal: RefusalScope,
    refusals_before: usize,
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
        FetchErrorKind::Unauthorized | FetchErrorKind::Forbidden => Err(match refusal {
            RefusalScope::Key if refusals_before + 1 >= REFUSED_LIMIT => {
                let status = if error.kind == FetchErrorKind::Forbidden {
                    403
                } else {
                    401
                };
                JobError::fail(format!(
                    "Avinode refuses this resource ({status}) though it answers others: {reason}"
                ))
            }
            RefusalScope::Key => JobError::retry_after(format!("{REFUSED_ALONE}{reason}"), REFUSED_DELAY),
            RefusalScope::Credentials if error.kind == FetchErrorKind::Unauthorized => {
                JobError::snooze(reason, SUSPENDED_DELAY)
            }
            RefusalScope::Credentials | RefusalScope::Unknown => JobError::snooze(reason, REFUSED_DELAY),
        }),
        FetchErrorKind::NotFound => {
            let age = (now - job.created_at).to_std().unwrap_or_default();
            let of_trip = job.key.as_deref().is_some_and(is_trip);
            match job.kind {
                // A follow-up of a trip is about its other id, long after the trip was made. A speculative one may be no trip.
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

fn is_trip(key: &str) -> bool {
    let resource = ResourceId::parse(key).ok().and_then(|id| Resource::by_id(&id));
    resource.is_some_and(|resource| resource.kind == ResourceKind::Trips)
}

#[cfg(test)]
mod tests;
