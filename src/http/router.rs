//! The routes of the server, and their OpenAPI document. Unknown paths and methods are problems too, so that every
//! response has one of the described shapes.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::FromRef;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use hyper::header::CONTENT_TYPE;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::console::router::routes as console_routes;
use super::console::state::ConsoleState;
use super::metrics::{self, MetricsRenderer};
use super::openapi::BaseDocument;
use super::problem::Problem;
use super::readiness::Readiness;
use super::state::AppState;
use super::v1::router::routes as api_routes;
use super::v1::state::ApiState;
use super::{health, webhook};

/// Routes of a process that receives deliveries, with the API if there is one.
pub fn router(state: AppState, api: Option<ApiState>) -> Router {
    let mut routes: OpenApiRouter<AppState> = health_routes();
    for path in &state.paths {
        routes = routes.route(path, post(webhook::receive));
    }
    if let Some(api) = api {
        routes = routes.merge(document_routes()).merge(api_routes().with_state(api));
    }
    let routes = with_problems(routes.into()).fallback(webhook::unknown_path);
    routes.with_state(state)
}

/// Routes of a process that only runs workers.
pub fn health_only(readiness: Readiness) -> Router {
    with_problems(health_routes().into()).with_state(readiness)
}

/// Routes of the admin listener.
pub fn admin(readiness: Readiness, metrics: Option<MetricsRenderer>, console: ConsoleState) -> Router {
    let health: Router<Readiness> = health_routes().into();
    let mut routes = health.with_state(readiness).merge(console_routes(console));
    if let Some(metrics) = metrics {
        routes = routes.merge(metrics::routes(metrics));
    }
    with_problems(routes)
}

/// The OpenAPI document of every route, as text.
pub static DOCUMENT: LazyLock<String> = LazyLock::new(|| {
    let mut document = BaseDocument::openapi();
    document.merge(api_routes().into_openapi());
    // At its default path; INGEST_WEBHOOK_PATHS names others.
    let webhook = OpenApiRouter::<AppState>::default().routes(routes!(webhook::receive));
    document.merge(webhook.into_openapi());
    document.merge(health_routes::<AppState>().into_openapi());
    document.merge(document_routes::<AppState>().into_openapi());
    format!("{:#}\n", serde_json::json!(document))
});

/// axum answers HEAD wherever there is GET.
fn health_routes<S>() -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
    Readiness: FromRef<S>,
{
    OpenApiRouter::default()
        .routes(routes!(health::livez))
        .routes(routes!(health::readyz))
}

fn document_routes<S: Clone + Send + Sync + 'static>() -> OpenApiRouter<S> {
    OpenApiRouter::default().routes(routes!(get_document))
}

/// Get this document
///
/// Public, as it contains no secret.
#[utoipa::path(get, path = "/openapi.json", operation_id = "getOpenApi", tag = "openapi",
    responses((status = 200, body = Object, content_type = "application/json", description = "The OpenAPI document.")),
    security(()))]
async fn get_document() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

/// Applied last, because it covers the routes that exist at that time. axum adds `Allow`.
fn with_problems<S: Clone + Send + Sync + 'static>(routes: Router<S>) -> Router<S> {
    routes
        .method_not_allowed_fallback(async || Problem::MethodNotAllowed)
        .fallback(async || Problem::NotFound)
}
