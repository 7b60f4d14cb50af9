//! The operations that change one job or delivery. The audit log names the token.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::ids::{DeliveryId, JobId};
use super::problem::{AdminProblem, DeliveryProblems, DiscardProblems, JobProblems, JobStateProblems, ReplayProblems};
use crate::admin::actions::JobsChanged;
use crate::domain::actor::{Acting, ActionNote, Actor};
use crate::http::v1::auth::AdminAccess;
use crate::http::v1::extract::OptionalJsonBody;
use crate::http::v1::problem::{ApiProblem, BodyProblems, QueryProblems};
use crate::http::v1::response::{ApiResult, changed};
use crate::http::v1::state::ApiState;

/// The body of a change.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ActionRequest {
    /// Why it is done, for the audit log: at most 500 characters.
    #[schema(example = "the relay is repaired")]
    pub note: Option<String>,
}

/// The body of a discard.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiscardRequest {
    /// Why it is done, for the audit log and the outcome: at most 500 characters.
    pub note: Option<String>,
    /// Discards a timer as well. The service makes one again if it is still needed.
    #[serde(default)]
    pub force: bool,
}

/// The job that was changed.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ChangedJob {
    pub id: i64,
}

/// The delivery that has a new job.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct ReplayedDelivery {
    pub id: Uuid,
}

/// Retry a job
///
/// Makes a dead, scheduled or retryable job due now. A dead one keeps its last failures and begins with its attempts at 0.
#[utoipa::path(
    post,
    path = "/v1/admin/jobs/{id}/retry",
    operation_id = "retryJob",
    params(JobId),
    request_body(content = ref("#/components/schemas/ActionRequest"), content_type = "application/json"),
    responses(
        (status = 200, body = ChangedJob, description = "The job is due."),
        JobProblems,
        JobStateProblems,
        QueryProblems,
        BodyProblems,
    ),
)]
pub async fn retry(
    access: AdminAccess,
    State(state): State<ApiState>,
    JobId(id): JobId,
    OptionalJsonBody(request): OptionalJsonBody<ActionRequest>,
) -> ApiResult {
    let acting = acting(access.actor(), request.note)?;
    let result = state.admin.retry(&[id], &acting).await?;
    changed_job(&state, id, result).await
}

/// Discard a job
///
/// Takes a dead or unclaimed job out of the queue for good. Its delivery stays, and can be replayed.
#[utoipa::path(
    post,
    path = "/v1/admin/jobs/{id}/discard",
    operation_id = "discardJob",
    params(JobId),
    request_body(content = ref("#/components/schemas/DiscardRequest"), content_type = "application/json"),
    responses(
        (status = 200, body = ChangedJob, description = "The job is gone."),
        JobProblems,
        DiscardProblems,
        QueryProblems,
        BodyProblems,
    ),
)]
pub async fn discard(
    access: AdminAccess,
    State(state): State<ApiState>,
    JobId(id): JobId,
    OptionalJsonBody(request): OptionalJsonBody<DiscardRequest>,
) -> ApiResult {
    let acting = acting(access.actor(), request.note)?;
    let result = state.admin.discard(&[id], request.force, &acting).await?;
    changed_job(&state, id, result).await
}

/// Replay a delivery
///
/// Enqueues a job that processes the stored delivery again. What was applied before is not applied twice.
#[utoipa::path(
    post,
    path = "/v1/admin/deliveries/{id}/replay",
    operation_id = "replayDelivery",
    params(DeliveryId),
    request_body(content = ref("#/components/schemas/ActionRequest"), content_type = "application/json"),
    responses(
        (status = 200, body = ReplayedDelivery, description = "The delivery has a new job."),
        DeliveryProblems,
        ReplayProblems,
        QueryProblems,
        BodyProblems,
    ),
)]
pub async fn replay(
    access: AdminAccess,
    State(state): State<ApiState>,
    DeliveryId(id): DeliveryId,
    OptionalJsonBody(request): OptionalJsonBody<ActionRequest>,
) -> ApiResult {
    let acting = acting(access.actor(), request.note)?;
    let replayed = state.admin.replay(&[id], &acting).await?;
    if replayed.enqueued.contains(&id) {
        return Ok(changed(ReplayedDelivery { id }));
    }
    Err(match replayed.redacted.contains(&id) {
        true => AdminProblem::DeliveryRedacted,
        false => AdminProblem::DeliveryNotFound,
    }
    .into())
}

/// The token acts, with the note of the request.
pub(super) fn acting(actor: Actor, note: Option<String>) -> Result<Acting, ApiProblem> {
    let note = note.map(|note| ActionNote::parse(&note)).transpose();
    let note = note.map_err(|error| ApiProblem::field("note", &error.to_string()))?;
    Ok(Acting::new(actor, note))
}

async fn changed_job(state: &ApiState, id: i64, result: JobsChanged) -> ApiResult {
    if result.done.contains(&id) {
        return Ok(changed(ChangedJob { id }));
    }
    let job = state.admin.job(id).await?.ok_or(AdminProblem::JobNotFound)?;
    Err(AdminProblem::InvalidJobState(job.state).into())
}
