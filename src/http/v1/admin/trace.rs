//! `/v1/admin/trace/{id}`: what became of a quote, a trip, an RFQ, a delivery or a session.

use axum::extract::State;

use super::ids::TraceId;
use super::problem::{AdminProblem, TraceProblems};
use crate::admin::trace::Trace;
use crate::http::v1::auth::ReadAccess;
use crate::http::v1::response::{ApiResult, resource};
use crate::http::v1::state::ApiState;

/// Trace an id
///
/// The type of the id is looked up. The story has in order of time what was received, fetched, parsed and applied, and last what holds
/// now; the causes say why a quote is shown, or why it is not.
#[utoipa::path(
    get,
    path = "/v1/admin/trace/{id}",
    operation_id = "getTrace",
    params(TraceId),
    responses((status = 200, body = Trace, description = "The trace."), TraceProblems),
)]
pub async fn get(_: ReadAccess, State(state): State<ApiState>, TraceId(id): TraceId) -> ApiResult {
    Ok(resource(
        state.admin.trace(&id).await?.ok_or(AdminProblem::NothingStored)?,
    ))
}
