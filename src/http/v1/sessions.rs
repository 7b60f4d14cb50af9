//! `/v1/sessions`: creates and lists sessions, counts and archives them.

use axum::extract::State;
use axum::response::IntoResponse;
use hyper::header::LOCATION;

use super::auth::{ReadAccess, WriteAccess};
use super::extract::JsonBody;
use super::problem::{BodyProblems, QueryProblems};
use super::query::{QueryParams, SessionListParams};
use super::response::{ApiResult, ListResponse, changed, created, list as list_response, resource};
use super::state::ApiState;
use crate::domain::chat_session::input::NewChatSession;
use crate::domain::chat_session::view::{ArchiveResult, ChatSession, Statistics};

type ChatSessionList = ListResponse<ChatSession>;

/// Create or update the session of a conversation
///
/// Updates the conversation's active session, or else resumes and updates its paused one, or else creates a session.
/// Concurrent calls create one session.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    operation_id = "createOrUpdateChatSession",
    request_body = NewChatSession,
    responses(
        (
            status = 201,
            body = ChatSession,
            description = "The session was created.",
            headers(("Location" = String, description = "The path of the session.")),
        ),
        (status = 200, body = ChatSession, description = "The session was updated."),
        BodyProblems,
    ),
)]
pub async fn create_or_update(
    access: WriteAccess,
    State(state): State<ApiState>,
    JsonBody(new): JsonBody<NewChatSession>,
) -> ApiResult {
    let result = state.sessions.acting_as(access.actor()).create_or_update(&new).await?;
    if !result.created {
        return Ok(changed(result.session));
    }
    let location = format!("/v1/sessions/{}", result.session.id);
    Ok(([(LOCATION, location)], created(result.session)).into_response())
}

/// List sessions
///
/// Ordered by last activity, newest first, then by id. A session with new activity moves in the list while its pages
/// are read.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    operation_id = "getChatSessions",
    params(SessionListParams),
    responses((status = 200, body = ChatSessionList, description = "A page of sessions."), QueryProblems),
)]
pub async fn list(
    _: ReadAccess,
    State(state): State<ApiState>,
    QueryParams(params): QueryParams<SessionListParams>,
) -> ApiResult {
    let (filter, page) = params.parse()?;
    Ok(list_response(state.sessions.list(&filter, &page).await?))
}

/// Count active sessions by workflow step
#[utoipa::path(
    get,
    path = "/v1/sessions/stats",
    operation_id = "getChatSessionStatistics",
    responses((status = 200, body = Statistics, description = "The counts.")),
)]
pub async fn statistics(_: ReadAccess, State(state): State<ApiState>) -> ApiResult {
    Ok(resource(state.sessions.statistics().await?))
}

/// Archive sessions that were completed more than 90 days ago
///
/// Calls the database function `archive_old_chat_sessions()`, which the service also calls once a day.
#[utoipa::path(
    post,
    path = "/v1/sessions/archive",
    operation_id = "archiveOldChatSessions",
    responses((status = 200, body = ArchiveResult, description = "The number of archived sessions.")),
)]
pub async fn archive(access: WriteAccess, State(state): State<ApiState>) -> ApiResult {
    Ok(changed(state.sessions.acting_as(access.actor()).archive().await?))
}
