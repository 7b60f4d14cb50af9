//! What becomes of jobs whose resource could not be fetched, in one table.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::RngExt;

use super::{FOLLOW, KIND};
use crate::avinode::client::error::FetchError;
use crate::queue::job::{Claimed, JobError, Outcome};
use crate::queue::limit::Verdict;

/// A resource that is not there for so long after it was notified of will not come.
const TOO_EARLY: Duration = Duration::from_secs(30 * 60);
/// A pause where none was asked for.
const PAUSE: Duration = Duration::from_secs(30);
/// The longest pause that is believed.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// What the limiter is told of a call.
pub(super) fn verdict(error: Option<&FetchError>) -> Verdict {
    match error {
        Some(FetchError::Limited { after, .. }) => Verdict::Limited(*after),
        Some(FetchError::Unauthorized { reason }) => Verdict::Refused(reason.clone()),
        Some(error) if error.trips_breaker() => Verdict::Failed,
        _ => Verdict::Well,
    }
}

/// What becomes of the jobs that asked for it: those that are done with it, and the others.
pub(super) fn remedies(
    error: &FetchError,
    jobs: &[Claimed],
    now: DateTime<Utc>,
) -> (Vec<Outcome>, Vec<(i64, JobError)>) {
    let (mut outcomes, mut unfinished) = (Vec::new(), Vec::new());
    for job in jobs {
        match remedy(error, job, now) {
            Ok(detail) => outcomes.push(Outcome {
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
fn remedy(error: &FetchError, job: &Claimed, now: DateTime<Utc>) -> Result<String, JobError> {
    match error {
        FetchError::Soon { reason, .. } => Err(JobError::retry(reason)),
        FetchError::Later { after, reason, .. } => Err(JobError::retry_after(reason, *after)),
        // Neither is the job's fault, and the limiter holds all of them up: no attempt is counted.
        FetchError::Limited { after, reason } => Err(JobError::wait(reason, after.unwrap_or(PAUSE).min(LONGEST_PAUSE))),
        FetchError::Unauthorized { reason } => Err(JobError::wait(reason, Duration::from_secs(5))),
        FetchError::NotFound { reason } => {
            let age = (now - job.created_at).to_std().unwrap_or_default();
            if age < TOO_EARLY && (job.kind == KIND || job.kind == FOLLOW) {
                let most = age.clamp(Duration::from_secs(2), Duration::from_secs(300));
                return Err(JobError::wait(reason, rand::rng().random_range(most / 2..most)));
            }
            match job.kind.as_str() {
                KIND => {
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
        FetchError::Refused { reason } => Err(JobError::fail(reason)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::RECONCILE;
    use super::*;

    fn job(kind: &str, minutes_ago: i64, now: DateTime<Utc>) -> Claimed {
        Claimed {
            id: 1,
            kind: kind.to_owned(),
            token: 1,
            key: None,
            delivery_id: None,
            created_at: now - chrono::TimeDelta::minutes(minutes_ago),
            attempts: 1,
            crashes: 0,
            alone: false,
        }
    }

    #[test]
    fn what_is_not_there_yet_is_waited_for_and_dies_after_half_an_hour() {
        let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let error = FetchError::NotFound {
            reason: "404".to_owned(),
        };
        let remedy = |kind, minutes| remedy(&error, &job(kind, minutes, now), now);
        assert!(matches!(remedy(KIND, 0), Err(JobError::Wait { after, .. }) if after <= Duration::from_secs(2)));
        assert!(matches!(remedy(KIND, 29), Err(JobError::Wait { after, .. }) if after > Duration::from_secs(100)));
        assert!(matches!(remedy(KIND, 31), Err(JobError::Fail(_))));
        assert_eq!(remedy(FOLLOW, 31), Ok("404".to_owned()));
        assert_eq!(remedy(RECONCILE, 0), Ok("404".to_owned()));
    }

    #[test]
    fn neither_a_limit_nor_refused_credentials_cost_an_attempt() {
        let now = DateTime::from_timestamp(1_780_000_000, 0).unwrap();
        let reason = "why".to_owned();
        let limited = FetchError::Limited {
            after: None,
            reason: reason.clone(),
        };
        let refused = FetchError::Unauthorized { reason };
        for error in [limited, refused] {
            assert!(matches!(
                remedy(&error, &job(KIND, 0, now), now),
                Err(JobError::Wait { .. })
            ));
        }
    }
}
