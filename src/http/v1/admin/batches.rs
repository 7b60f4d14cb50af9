//! `/v1/admin/batches`: actions on many jobs or deliveries, which workers of the service run in steps.

use axum::extract::State;
use axum::response::IntoResponse;
use hyper::header::LOCATION;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::actions::{ActionRequest, acting};
use super::cursors::BatchCursor;
use super::delivery_filter::DeliveryBatchFilter;
use super::ids::BatchId;
use super::job_filter::JobBatchFilter;
use super::problem::{BatchProblems, ResumeProblems};
use super::values::{limit, position};
use crate::admin::batches::work::BatchWork;
use crate::admin::batches::{DEFAULT_LIMIT, MAX_LIMIT, NewBatch};
use crate::domain::chat_session::page::Page;
use crate::http::v1::auth::{AdminAccess, ReadAccess};
use crate::http::v1::cursor;
use crate::http::v1::extract::{JsonBody, OptionalJsonBody};
use crate::http::v1::problem::{ApiProblem, BodyProblems, QueryProblems};
use crate::http::v1::query::QueryParams;
use crate::http::v1::response::{ApiResult, ListResponse, changed, created, list as list_response, resource};
use crate::http::v1::state::ApiState;
use crate::store::batches::{BatchFilter, BatchRow, BatchState};

type BatchList = ListResponse<BatchRow>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatchAction {
    /// Makes dead, scheduled and retryable jobs due now.
    Retry,
    /// Takes dead and unclaimed jobs out of the queue.
    Discard,
    /// Processes deliveries again.
    Replay,
}

/// A batch to begin. `retry` and `discard` need `jobs`, `replay` needs `deliveries`.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBatchRequest {
    pub action: BatchAction,
    /// Selects the jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<JobBatchFilter>,
    /// Selects the deliveries.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliveries: Option<DeliveryBatchFilter>,
    /// `discard` discards timers as well; they are skipped otherwise.
    #[serde(default)]
    pub force: bool,
    /// Counts, and changes nothing.
    #[serde(default)]
    pub dry_run: bool,
    /// Maximum number of rows that are selected; 10000 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    pub limit: Option<i64>,
    /// Why it is done, for the audit log: at most 500 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl NewBatchRequest {
    fn work(self) -> Result<BatchWork, ApiProblem> {
        let Self {
            action,
            jobs,
            deliveries,
            force,
            ..
        } = self;
        let needed = |name: &'static str| move || ApiProblem::field(name, "is needed by this action");
        match (action, &jobs, &deliveries) {
            (BatchAction::Replay, Some(_), _) => return Err(ApiProblem::field("jobs", "is not used by this action")),
            (BatchAction::Retry | BatchAction::Discard, _, Some(_)) => {
                return Err(ApiProblem::field("deliveries", "is not used by this action"));
            }
            (BatchAction::Retry | BatchAction::Replay, ..) if force => {
                return Err(ApiProblem::field("force", "is not used by this action"));
            }
            _ => {}
        }
        Ok(match action {
            BatchAction::Retry => BatchWork::Retry(jobs.ok_or_else(needed("jobs"))?.parse()?),
            BatchAction::Discard => BatchWork::Discard {
                jobs: jobs.ok_or_else(needed("jobs"))?.parse()?,
                timers: force,
            },
            BatchAction::Replay => BatchWork::Replay(deliveries.ok_or_else(needed("deliveries"))?.parse()?),
        })
    }
}

/// Parameters of the list of batches.
#[derive(Debug, Default, Serialize, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct BatchListParams {
    /// Only batches in this state.
    state: Option<BatchState>,
    /// Maximum number of batches; 50 by default.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u16>,
    /// `next_cursor` of the previous page.
    cursor: Option<String>,
}

impl BatchListParams {
    pub fn parse(self) -> Result<BatchFilter, ApiProblem> {
        Ok(BatchFilter {
            state: self.state,
            before: position(self.cursor)?.map(|BatchCursor(id)| id),
            limit: limit(self.limit)?,
            ..BatchFilter::default()
        })
    }
}

impl From<&BatchFilter> for BatchListParams {
    /// All but the limit, which is that of a page.
    fn from(filter: &BatchFilter) -> Self {
        Self {
            state: filter.state,
            limit: None,
            cursor: filter.before.map(|id| cursor::encode(&BatchCursor(id))),
        }
    }
}

/// Begin a batch
///
/// An action on all jobs or deliveries that a filter selects. Workers run it in steps; a row is changed once, also if a
/// process is killed. A dry run counts; of a replay it also names the sessions that would change.
#[utoipa::path(
    post,
    path = "/v1/admin/batches",
    operation_id = "beginBatch",
    request_body = NewBatchRequest,
    responses(
        (
            status = 201,
            body = BatchRow,
            description = "The batch is recorded, and begins.",
            headers(("Location" = String, description = "The path of the batch.")),
        ),
        QueryProblems,
        BodyProblems,
    ),
)]
pub async fn begin(
    access: AdminAccess,
    State(state): State<ApiState>,
    JsonBody(request): JsonBody<NewBatchRequest>,
) -> ApiResult {
    let limit = request.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(ApiProblem::field(
            "limit",
            &format!("is not an integer from 1 to {MAX_LIMIT}"),
        ));
    }
    let batch = NewBatch {
        dry_run: request.dry_run,
        limit,
        acting: acting(access.actor(), request.note.clone())?,
        work: request.work()?,
    };
    let batch = state.admin.begin_batch(&batch).await?;
    let location = format!("/v1/admin/batches/{}", batch.id);
    Ok(([(LOCATION, location)], created(batch)).into_response())
}

/// Resume a batch
///
/// Continues one that was interrupted, failed or killed, after its last finished step: no row is changed twice. Workers of the service make
/// its steps. The `note` is in the audit log; the batch keeps its own.
#[utoipa::path(
    post,
    path = "/v1/admin/batches/{id}/resume",
    operation_id = "resumeBatch",
    params(BatchId),
    request_body(content = ref("#/components/schemas/ActionRequest"), content_type = "application/json"),
    responses(
        (status = 200, body = BatchRow, description = "The batch is running."),
        BatchProblems,
        ResumeProblems,
        QueryProblems,
        BodyProblems,
    ),
)]
pub async fn resume(
    access: AdminAccess,
    State(state): State<ApiState>,
    BatchId(id): BatchId,
    OptionalJsonBody(request): OptionalJsonBody<ActionRequest>,
) -> ApiResult {
    let acting = acting(access.actor(), request.note)?;
    Ok(changed(state.admin.resume_batch(id, &acting).await?))
}

/// List batches
///
/// The newest first.
#[utoipa::path(
    get,
    path = "/v1/admin/batches",
    operation_id = "listBatches",
    params(BatchListParams),
    responses((status = 200, body = BatchList, description = "A page of batches."), QueryProblems),
)]
pub async fn list(
    _: ReadAccess,
    State(state): State<ApiState>,
    QueryParams(params): QueryParams<BatchListParams>,
) -> ApiResult {
    let filter = params.parse()?;
    let batches = state.admin.batches(&filter).await?;
    Ok(list_response(Page::from_rows(batches, filter.limit, |batch| {
        BatchCursor(batch.id)
    })))
}

/// Get a batch
#[utoipa::path(
    get,
    path = "/v1/admin/batches/{id}",
    operation_id = "getBatch",
    params(BatchId),
    responses((status = 200, body = BatchRow, description = "The batch."), BatchProblems),
)]
pub async fn get(_: ReadAccess, State(state): State<ApiState>, BatchId(id): BatchId) -> ApiResult {
    Ok(resource(state.admin.batch(id).await?))
}
