//! Health endpoints: `/livez` answers as long as the process does (a restart repairs no database, so it checks nothing
//! else), `/readyz` reports whether the process should get work.

use axum::extract::State;
use axum::response::Response;
use hyper::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use super::json_response::uncached;
use super::readiness::{Readiness, ReadinessReport};

/// The result of the liveness probe.
#[derive(Serialize, ToSchema)]
struct LivenessReport {
    /// Always `alive`.
    status: &'static str,
}

/// Liveness probe
///
/// Returns 200 as long as the process serves requests.
#[utoipa::path(get, path = "/livez", operation_id = "livez", tag = "health",
    responses((status = 200, body = LivenessReport, description = "The process is alive.")), security(()))]
pub async fn livez() -> Response {
    uncached(StatusCode::OK, LivenessReport { status: "alive" })
}

/// Readiness probe
///
/// Reports every check by name.
#[utoipa::path(get, path = "/readyz", operation_id = "readyz", tag = "health",
    responses((status = 200, body = ReadinessReport, description = "The process is ready."),
        (status = 503, body = ReadinessReport, description = "At least one check failed.")), security(()))]
pub async fn readyz(State(readiness): State<Readiness>) -> Response {
    let report = readiness.report().await;
    let status = if report.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    uncached(status, report)
}
