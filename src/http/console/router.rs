//! The routes of the console.

use axum::Router;
use axum::middleware::map_response;
use axum::response::Redirect;
use axum::routing::{get, post};

use super::error::ConsoleError;
use super::state::ConsoleState;
use super::{assets, board, events, operations, security_headers, session, session_actions, sign_in};

/// The path of the board.
pub const CONSOLE_PATH: &str = "/console";

/// Every response has the security headers, also that of a path without a page.
pub fn routes(console: ConsoleState) -> Router {
    Router::new()
        .route(CONSOLE_PATH, get(board::get))
        .route("/console/", get(async || Redirect::to(CONSOLE_PATH)))
        .route("/console/events", get(events::get))
        .route("/console/sessions/{id}", get(session::get))
        .route("/console/sessions/{id}/pin", post(session_actions::pin))
        .route("/console/sessions/{id}/unpin", post(session_actions::unpin))
        .route("/console/sign-in", get(sign_in::page).post(sign_in::sign_in))
        .route("/console/sign-out", post(sign_in::sign_out))
        .route("/console/assets/{version}/{name}", get(assets::get))
        .merge(operations::router::routes())
        .route("/console/{*path}", get(async || ConsoleError::NotFound))
        .method_not_allowed_fallback(async || ConsoleError::MethodNotAllowed)
        .layer(map_response(security_headers::add))
        .with_state(console)
}
