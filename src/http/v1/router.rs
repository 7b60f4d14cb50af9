//! Which path of the API is answered by what.

use axum::Router;
use axum::routing::{delete, get, patch, post};

use super::state::ApiState;
use super::{session, session_actions, sessions};

/// The API, to be nested as `/v1`.
pub fn router<S: Clone + Send + Sync + 'static>(state: ApiState) -> Router<S> {
    Router::new()
        .route("/sessions", post(sessions::create_or_update).get(sessions::list))
        .route("/sessions/stats", get(sessions::statistics))
        .route("/sessions/archive", post(sessions::archive))
        .route("/sessions/{id}", get(session::get))
        .route(
            "/sessions/{id}/quotes",
            get(session::quotes).post(session_actions::quote),
        )
        .route("/sessions/{id}/timeline", get(session::timeline))
        .route("/sessions/{id}/activity", post(session_actions::activity))
        .route("/sessions/{id}/pause", post(session_actions::pause))
        .route("/sessions/{id}/resume", post(session_actions::resume))
        .route("/sessions/{id}/trip", patch(session_actions::trip))
        .route("/sessions/{id}/primary-quote/pin", delete(session_actions::unpin))
        .route("/sessions/{id}/proposal", post(session_actions::proposal))
        .route("/sessions/{id}/complete", post(session_actions::complete))
        .with_state(state)
}
