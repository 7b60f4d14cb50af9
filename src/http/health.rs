//! What a supervisor asks: `/livez` (is the process there; it asks nothing else, for restarting us mends no database)
//! and `/readyz` (should it be given work).

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue};
use serde::Serialize;

use super::readiness::Readiness;

#[derive(Serialize)]
struct Alive {
    status: &'static str,
}

/// `GET /livez`: 200 as long as anything answers at all.
pub async fn livez() -> Response {
    uncached(StatusCode::OK, Json(Alive { status: "alive" }))
}

/// `GET /readyz`: 200 or 503, with every check by name.
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
