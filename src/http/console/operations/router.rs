//! The routes of operations.

use axum::Router;
use axum::routing::{get, post};

use super::{
    actions, batch_pages, checks, dead_letter_pages, delivery_pages, documents, job_pages, maintenance, overview,
    traces,
};
use crate::http::console::state::ConsoleState;

pub fn routes() -> Router<ConsoleState> {
    Router::new()
        .route("/console/operations", get(overview::show))
        .route("/console/operations/dead-letters", get(dead_letter_pages::list))
        .route("/console/operations/dead-letters/group", get(dead_letter_pages::group))
        .route("/console/operations/jobs", get(job_pages::list))
        .route("/console/operations/jobs/{id}", get(job_pages::show))
        .route("/console/operations/jobs/{id}/retry", post(actions::retry))
        .route("/console/operations/jobs/{id}/discard", post(actions::discard))
        .route("/console/operations/deliveries", get(delivery_pages::list))
        .route("/console/operations/deliveries/{id}", get(delivery_pages::show))
        .route("/console/operations/deliveries/{id}/replay", post(actions::replay))
        .route("/console/operations/documents", get(documents::list))
        .route("/console/operations/documents/{id}", get(documents::show))
        .route(
            "/console/operations/batches",
            get(batch_pages::list).post(batch_pages::begin),
        )
        .route("/console/operations/batches/{id}", get(batch_pages::show))
        .route("/console/operations/batches/{id}/confirm", post(batch_pages::confirm))
        .route("/console/operations/trace", get(traces::show))
        .route("/console/operations/maintenance", get(maintenance::show))
        .route("/console/operations/checks", get(checks::show))
}
