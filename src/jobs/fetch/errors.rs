//! What becomes of jobs whose resource could not be fetched, in one table.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::RngExt;

use super::FetchHandler;
use crate::avinode::client::error::FetchError;
use crate::domain::job_kind::JobKind;
use crate::queue::admin::DIED;
use crate::queue::job::{ClaimedJob, JobError, JobOutcome};
use crate::queue::limit::Verdict;
use crate::queue::release;

/// A resource that is not there for so long after it was notified of will not come.
const TOO_EARLY: Duration = Duration::from_secs(30 * 60);
/// A pause where none was asked for.
const PAUSE: Duration = Duration::from_secs(30);
/// The longest pause that is believed.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// A resource that was refused comes back so much later: other keys are the next to be tried, and tell whose fault it is.
const REFUSED: Duration = Duration::from_secs(600);
/// So many refusals of a resource while others were answered are an answer.
const REFUSALS: usize = 5;
/// How the histories of jobs begin the line of such a refusal.
const BY_ITSELF: &str = "refused by itself: ";

/// What the limiter is told of a call for this key.
pub(super) fn verdict(key: &str, error: Option<&FetchError>) -> Verdict {
    match error {
        Some(FetchError::RateLimited { after, .. }) => Verdict::Limited(*after),
        Some(FetchError::Unauthorized { reason } | FetchError::Forbidden { reason }) => {
            Verdict::Refused(reason.clone())
        }
        Some(error) if error.trips_breaker() => Verdict::Failed(key.to_owned()),
        _ => Verdict::Well,
    }
}

/// How often each job was refused by itself before. None is in it where a refusal is nobody's own.
pub(super) type RefusalCounts = HashMap<i64, usize>;

impl FetchHandler {
    /// How often these jobs were refused by themselves before, if this is such a refusal: a 403 that came while credentials were
    /// taken. One that comes after others tells of the credentials.
    pub(super) async fn refused_before(
        &self,
        error: Option<&FetchError>,
        jobs: &[ClaimedJob],
        was_stopped: bool,
    ) -> Result<RefusalCounts, sqlx::Error> {
        if was_stopped || !matches!(error, Some(FetchError::Forbidden { .. })) {
            return Ok(RefusalCounts::new());
        }
        let histories = release::histories(&self.applier.pool, jobs).await?;
        Ok(histories
            .into_iter()
            .map(|(job, noted)| (job, refusals(&noted)))
            .collect())
    }
}

/// The refusals in a job's history since it last came to life.
fn refusals(history: &[String]) -> usize {
    let of_this_life = history.iter().rev().take_while(|noted| !noted.starts_with(DIED));
    of_this_life.filter(|noted| noted.starts_with(BY_ITSELF)).count()
}

/// What becomes of the jobs that asked for it: those that are done with it, and the others.
pub(super) fn remedies(
    error: &FetchError,
    jobs: &[ClaimedJob],
    refused: &RefusalCounts,
    now: DateTime<Utc>,
) -> (Vec<JobOutcome>, Vec<(i64, JobError)>) {
    let (mut outcomes, mut unfinished) = (Vec::new(), Vec::new());
    for job in jobs {
        match remedy(error, job, refused.get(&job.id).copied(), now) {
            Ok(detail) => outcomes.push(JobOutcome {
                job: job.id,
                outcome: "gone",
                detail,
            }),
            Err(remedy) => unfinished.push((job.id, remedy)),
        }
    }
    (outcomes, unfinished)
}

/// `Ok`: it is not there, and nothing is left to be done; with what was answered.
fn remedy(
    error: &FetchError,
    job: &ClaimedJob,
    refused_before: Option<usize>,
    now: DateTime<Utc>,
) -> Result<String, JobError> {
    match error {
        FetchError::Retryable { reason, .. } => Err(JobError::retry(reason)),
        FetchError::RetryAfter { after, reason, .. } => Err(JobError::retry_after(reason, *after)),
        // Neither is the job's fault, and the limiter holds all of them up: no attempt is counted.
        FetchError::RateLimited { after, reason } => {
            Err(JobError::wait(reason, after.unwrap_or(PAUSE).min(LONGEST_PAUSE)))
        }
        FetchError::Unauthorized { reason } => Err(JobError::wait(reason, Duration::from_secs(5))),
        FetchError::Forbidden { reason } => Err(match refused_before {
            // Everything is refused.
            None => JobError::wait(reason, REFUSED),
            Some(before) if before + 1 >= REFUSALS => JobError::fail(format!(
                "Avinode refuses this resource (403) though it answers others: {reason}"
            )),
            Some(_) => JobError::retry_after(format!("{BY_ITSELF}{reason}"), REFUSED),
        }),
        FetchError::NotFound { reason } => {
            let age = (now - job.created_at).to_std().unwrap_or_default();
            // A trip that follows is asked for its other id only, long after it was made.
            let follows =
                job.kind == JobKind::FetchFollowUp && !job.key.as_deref().is_some_and(|key| key.starts_with("atrip-"));
            if age < TOO_EARLY && (job.kind == JobKind::FetchNotified || follows) {
                let most = age.clamp(Duration::from_secs(2), Duration::from_secs(300));
                return Err(JobError::wait(reason, rand::rng().random_range(most / 2..most)));
            }
            match job.kind {
                JobKind::FetchNotified => {
                    let minutes = TOO_EARLY.as_secs() / 60;
                    Err(JobError::fail(format!(
                        "not there {minutes} minutes after its notification: {reason}"
                    )))
                }
                _ => Ok(reason.clone()),
            }
        }
        // It is nobody's mistake that a thing is deleted, and nothing can be learned of it any more; what was known of it
        // stays. The outcome says so.
        FetchError::Gone { reason } => Ok(reason.clone()),
        FetchError::Permanent { reason } => Err(JobError::fail(reason)),
    }
}

#[cfg(test)]
mod tests;
