//! Which path is answered by what. Everything else is a problem too, so that no answer has another shape.

use axum::Router;
use axum::extract::FromRef;
use axum::routing::{get, post};

use super::problem::Problem;
use super::readiness::Readiness;
use super::state::AppState;
use super::{health, webhook};

/// All of it, for a process that receives.
pub fn router(state: AppState) -> Router {
    let webhooks = Router::new().route("/webhooks/avinode", post(webhook::deliver));
    // The API is to be nested here as `/v1`.
    with_problems(health_routes().merge(webhooks)).with_state(state)
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
