//! `/v1/admin/jobs`: lists and shows jobs.

use axum::extract::State;

use super::cursors::JobCursor;
use super::ids::JobId;
use super::job_filter::JobListParams;
use super::problem::{AdminProblem, JobProblems};
use crate::domain::chat_session::page::Page;
use crate::http::v1::auth::ReadAccess;
use crate::http::v1::problem::QueryProblems;
use crate::http::v1::query::QueryParams;
use crate::http::v1::response::{ApiResult, ListResponse, list as list_response, resource};
use crate::http::v1::state::ApiState;
use crate::queue::admin::JobView;

type JobList = ListResponse<JobView>;

/// List jobs
///
/// Dead ones first, then in the order in which they are due. Done jobs are not listed: a delivery shows their outcomes.
#[utoipa::path(
    get,
    path = "/v1/admin/jobs",
    operation_id = "listJobs",
    params(JobListParams),
    responses((status = 200, body = JobList, description = "A page of jobs."), QueryProblems),
)]
pub async fn list(
    _: ReadAccess,
    State(state): State<ApiState>,
    QueryParams(params): QueryParams<JobListParams>,
) -> ApiResult {
    let page = state.admin.jobs(&params.parse()?).await?;
    Ok(list_response(Page {
        data: page.data,
        next: page.next.map(JobCursor),
    }))
}

/// Get a job
///
/// With its last failures.
#[utoipa::path(
    get,
    path = "/v1/admin/jobs/{id}",
    operation_id = "getJob",
    params(JobId),
    responses((status = 200, body = JobView, description = "The job."), JobProblems),
)]
pub async fn get(_: ReadAccess, State(state): State<ApiState>, JobId(id): JobId) -> ApiResult {
    Ok(resource(state.admin.job(id).await?.ok_or(AdminProblem::JobNotFound)?))
}
