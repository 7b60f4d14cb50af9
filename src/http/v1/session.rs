//! `/v1/sessions/{id}`: reads one session, its quotes and its timeline.

use axum::extract::State;

use super::auth::ReadAccess;
use super::extract::SessionId;
use super::problem::QueryProblems;
use super::query::{PageParams, QueryParams};
use super::response::{ApiResult, ListResponse, list, resource};
use super::state::ApiState;
use crate::domain::chat_session::view::{ChatSession, SessionQuote, TimelineEntry};

type SessionQuoteList = ListResponse<SessionQuote>;
type TimelineEntryList = ListResponse<TimelineEntry>;

/// Get a session
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}",
    operation_id = "getChatSession",
    responses((status = 200, body = ChatSession, description = "The session.")),
)]
pub async fn get(_: ReadAccess, State(state): State<ApiState>, SessionId(session): SessionId) -> ApiResult {
    Ok(resource(state.sessions.get(session).await?))
}

/// List the quotes of a session
///
/// The quotes in the session's ledger, ordered by id.
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}/quotes",
    operation_id = "getChatSessionQuotes",
    params(PageParams),
    responses((status = 200, body = SessionQuoteList, description = "A page of quotes."), QueryProblems),
)]
pub async fn quotes(
    _: ReadAccess,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    QueryParams(params): QueryParams<PageParams>,
) -> ApiResult {
    Ok(list(state.sessions.quotes(session, &params.page()?).await?))
}

/// List the timeline of a session
///
/// In the order in which the events became known.
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}/timeline",
    operation_id = "getChatSessionTimeline",
    params(PageParams),
    responses((status = 200, body = TimelineEntryList, description = "A page of timeline entries."), QueryProblems),
)]
pub async fn timeline(
    _: ReadAccess,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    QueryParams(params): QueryParams<PageParams>,
) -> ApiResult {
    Ok(list(state.sessions.timeline(session, &params.page()?).await?))
}
