//! Which path is answered by what. Everything else is a problem too, so that no answer has another shape.

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};

use super::openapi::spec;
use super::problem::Problem;
use super::readiness::Readiness;
use super::state::AppState;
use super::v1::router::router as api_router;
use super::v1::state::ApiState;
use super::{health, webhook};

/// All of it, for a process that receives; the API where there is one.
pub fn router(state: AppState, api: Option<ApiState>) -> Router {
    let mut routes = health_routes().route("/webhooks/avinode", post(webhook::deliver));
    if let Some(api) = api {
        routes = routes
            .nest("/v1", api_router(api))
            .route("/openapi.json", get(spec::show));
    }
    with_problems(routes).with_state(state)
}

/// Health alone, for a process that only works.
pub fn health_only(readiness: Readiness) -> Router {
    with_problems(health_routes()).with_state(readiness)
}

/// `get` answers HEAD as well.
fn health_routes<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
    Readiness: FromRef<S>,
{
    Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
}

/// Last, for it covers the routes that are there already; axum adds `Allow`.
fn with_problems<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .fallback(async || Problem::NotFound)
}
