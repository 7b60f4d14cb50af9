//! The state of the service: the summary, dead letters, fetching and maintenance.

use axum::extract::State;

use crate::admin::dead_letters::DeadLetters;
use crate::admin::fetching::FetchingStatus;
use crate::admin::maintenance::MaintenanceStatus;
use crate::admin::summary::OperatorSummary;
use crate::http::v1::auth::ReadAccess;
use crate::http::v1::response::{ApiResult, resource};
use crate::http::v1::state::ApiState;

/// Get the summary
///
/// Counts of jobs, failures and dead letters, the oldest due job, deliveries of the last minute and hour, and the state of fetching.
#[utoipa::path(
    get,
    path = "/v1/admin/summary",
    operation_id = "getSummary",
    responses((status = 200, body = OperatorSummary, description = "The summary.")),
)]
pub async fn summary(_: ReadAccess, State(state): State<ApiState>) -> ApiResult {
    Ok(resource(state.admin.summary().await?))
}

/// Group the dead letters
///
/// By the kind of the job and the class of its reason, the largest group first. `GET /v1/admin/jobs?state=dead` lists the jobs.
#[utoipa::path(
    get,
    path = "/v1/admin/dead-letters",
    operation_id = "getDeadLetters",
    responses((status = 200, body = DeadLetters, description = "The groups.")),
)]
pub async fn dead_letters(_: ReadAccess, State(state): State<ApiState>) -> ApiResult {
    Ok(resource(state.admin.dead_letters().await?))
}

/// Get the state of fetching
#[utoipa::path(
    get,
    path = "/v1/admin/fetching",
    operation_id = "getFetching",
    responses((status = 200, body = FetchingStatus, description = "The state.")),
)]
pub async fn fetching(_: ReadAccess, State(state): State<ApiState>) -> ApiResult {
    Ok(resource(state.admin.fetching().await?))
}

/// Get the state of maintenance
#[utoipa::path(
    get,
    path = "/v1/admin/maintenance",
    operation_id = "getMaintenance",
    responses((status = 200, body = MaintenanceStatus, description = "The state.")),
)]
pub async fn maintenance(_: ReadAccess, State(state): State<ApiState>) -> ApiResult {
    Ok(resource(state.admin.maintenance().await?))
}
