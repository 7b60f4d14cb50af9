//! Changes of given jobs and deliveries. Through the API each is a call of its own; on the database all are one transaction.

use serde_json::{Value, json};
use uuid::Uuid;

use super::Operator;
use super::api_client::{ApiCall, ApiClient};
use crate::admin::actions::{ActionError, DeliveriesReplayed, JobsChanged};
use crate::cli::actor;
use crate::cli::error::CliError;
use crate::domain::actor::{Acting, ActionNote};
use crate::http::v1::admin::actions::{ActionRequest, ChangedJob, DiscardRequest, ReplayedDelivery};
use crate::queue::admin::JobView;
use crate::queue::job_kind::JobKind;
use crate::queue::job_state::JobState;

/// The problem of a delivery that cannot be replayed.
const REDACTED: &str = "delivery-redacted";

impl Operator {
    /// Makes jobs due now: dead, scheduled and retryable ones.
    pub async fn retry(&self, ids: &[i64], note: Option<&ActionNote>) -> Result<JobsChanged, CliError> {
        let attempt = "retry the jobs";
        match self {
            Self::Database(_, service) => {
                let changed = service.retry(ids, &acting(note)).await;
                changed.map_err(|error| failed(attempt, error))
            }
            Self::Api(api) => {
                let request = ActionRequest { note: text(note) };
                change_jobs(api, attempt, ids, "retry", &json!(request)).await
            }
        }
    }

    /// Takes dead and unclaimed jobs out of the queue. `force`: timers as well.
    pub async fn discard(&self, ids: &[i64], force: bool, note: Option<&ActionNote>) -> Result<JobsChanged, CliError> {
        let attempt = "discard the jobs";
        match self {
            Self::Database(_, service) => {
                let changed = service.discard(ids, force, &acting(note)).await;
                changed.map_err(|error| failed(attempt, error))
            }
            Self::Api(api) => {
                if !force {
                    refuse_timers(api, attempt, ids).await?;
                }
                let request = DiscardRequest {
                    note: text(note),
                    force,
                };
                change_jobs(api, attempt, ids, "discard", &json!(request)).await
            }
        }
    }

    /// Enqueues a job for each delivery.
    pub async fn replay(&self, ids: &[Uuid], note: Option<&ActionNote>) -> Result<DeliveriesReplayed, CliError> {
        let attempt = "enqueue the deliveries";
        let api = match self {
            Self::Database(_, service) => {
                let replayed = service.replay(ids, &acting(note)).await;
                return replayed.map_err(|error| failed(attempt, error));
            }
            Self::Api(api) => api,
        };
        let request = json!(ActionRequest { note: text(note) });
        let mut replayed = DeliveriesReplayed::default();
        for id in ids {
            let id_text = id.to_string();
            let path = ["admin", "deliveries", &id_text, "replay"];
            let call = ApiCall::post(&path, request.clone());
            match api.call::<ReplayedDelivery>(attempt, call).await? {
                Ok(_) => replayed.enqueued.push(*id),
                Err(refusal) if refusal.problem == REDACTED => replayed.redacted.push(*id),
                Err(_) => replayed.unknown.push(*id),
            }
        }
        replayed.enqueued.sort();
        Ok(replayed)
    }
}

async fn change_jobs(
    api: &ApiClient,
    attempt: &str,
    ids: &[i64],
    action: &str,
    request: &Value,
) -> Result<JobsChanged, CliError> {
    let mut changed = JobsChanged::default();
    for id in ids {
        let id_text = id.to_string();
        let path = ["admin", "jobs", &id_text, action];
        let call = ApiCall::post(&path, request.clone());
        match api.call::<ChangedJob>(attempt, call).await? {
            Ok(_) => changed.done.push(*id),
            Err(_) => changed.not_done.push(*id),
        }
    }
    changed.done.sort_unstable();
    Ok(changed)
}

/// Nothing is discarded if there is a timer among these jobs, so they are looked for first.
async fn refuse_timers(api: &ApiClient, attempt: &str, ids: &[i64]) -> Result<(), CliError> {
    let mut timers = Vec::new();
    for id in ids {
        let job: Option<JobView> = api.find(attempt, &["admin", "jobs", &id.to_string()]).await?;
        let is_timer = |job: &JobView| {
            let kind = job.kind.parse::<JobKind>();
            job.state != JobState::Dead && kind.is_ok_and(|kind| JobKind::TIMERS.contains(&kind))
        };
        timers.extend(job.filter(is_timer).map(|_| *id));
    }
    timers.sort_unstable();
    match timers.is_empty() {
        true => Ok(()),
        false => Err(failed(attempt, ActionError::Timers(timers))),
    }
}

fn acting(note: Option<&ActionNote>) -> Acting {
    Acting::new(actor::current(), note.cloned())
}

fn text(note: Option<&ActionNote>) -> Option<String> {
    note.map(|note| note.as_str().to_owned())
}

fn failed(attempt: &str, error: ActionError) -> CliError {
    match error {
        ActionError::Timers(_) => CliError::plain(error.to_string()).hint(
            "without its timer an expired quote stays primary until the next resync; --force discards timers as well",
        ),
        ActionError::Database(error) => CliError::to(attempt, error),
    }
}
