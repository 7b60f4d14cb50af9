//! Which path of the API is answered by what.

use axum::Router;
use axum::routing::{delete, get, patch, post};

use super::state::ApiState;
use super::{changes, collection, one};

/// The API, to be nested as `/v1`.
pub fn router<S: Clone + Send + Sync + 'static>(state: ApiState) -> Router<S> {
    Router::new()
        .route("/sessions", post(collection::create_or_update).get(collection::list))
        .route("/sessions/stats", get(collection::statistics))
        .route("/sessions/archive", post(collection::archive))
        .route("/sessions/{id}", get(one::get))
        .route("/sessions/{id}/quotes", get(one::quotes).post(changes::quote))
        .route("/sessions/{id}/timeline", get(one::timeline))
        .route("/sessions/{id}/activity", post(changes::activity))
        .route("/sessions/{id}/pause", post(changes::pause))
        .route("/sessions/{id}/resume", post(changes::resume))
        .route("/sessions/{id}/trip", patch(changes::trip))
        .route("/sessions/{id}/primary-quote/pin", delete(changes::unpin))
        .route("/sessions/{id}/proposal", post(changes::proposal))
        .route("/sessions/{id}/complete", post(changes::complete))
        .with_state(state)
}
