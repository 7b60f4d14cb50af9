//! What a supervisor asks: `/livez` (is the process there; it asks nothing else, for restarting us mends no database)
//! and `/readyz` (should it be given work).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue};
use serde::Serialize;
use utoipa::ToSchema;

use super::readiness::{Readiness, ReadinessReport};

/// That the process is there.
#[derive(Serialize, ToSchema)]
struct Alive {
    /// `alive`.
    status: &'static str,
}

/// Is the process there?
///
/// 200 as long as anything answers at all.
#[utoipa::path(get, path = "/livez", operation_id = "livez", tag = "health",
    responses((status = 200, body = Alive, description = "It is.")), security(()))]
pub async fn livez() -> Response {
    uncached(StatusCode::OK, Json(Alive { status: "alive" }))
}

/// Should it be given work?
///
/// With every check by name.
#[utoipa::path(get, path = "/readyz", operation_id = "readyz", tag = "health",
    responses((status = 200, body = ReadinessReport, description = "It should."),
        (status = 503, body = ReadinessReport, description = "It should not; the checks say why.")), security(()))]
pub async fn readyz(State(readiness): State<Readiness>) -> Response {
    let report = readiness.report().await;
    let status = if report.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    uncached(status, Json(report))
}

fn uncached(status: StatusCode, body: impl IntoResponse) -> Response {
    let mut response = (status, body).into_response();
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
