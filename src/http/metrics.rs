//! `GET /metrics` of the admin listener, in the text format of Prometheus.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::response::IntoResponse;
use axum::routing::get;
use hyper::header::CONTENT_TYPE;

const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Renders the metrics of this process.
#[derive(Clone)]
pub struct MetricsRenderer(pub Arc<dyn Fn() -> String + Send + Sync>);

impl fmt::Debug for MetricsRenderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetricsRenderer")
    }
}

pub(super) fn routes(MetricsRenderer(render): MetricsRenderer) -> Router {
    let answer = move || {
        let text = render();
        async move { ([(CONTENT_TYPE, TEXT_FORMAT)], text).into_response() }
    };
    Router::new().route("/metrics", get(answer))
}
