//! `/v1/sessions/{id}`: one session, its quotes and its timeline.

use axum::extract::{RawQuery, State};

use super::auth::ReadAccess;
use super::cursor;
use super::extract::SessionId;
use super::query::QueryParams;
use super::response::{ApiResult, ListResponse, listed, shown};
use super::state::ApiState;
use crate::domain::chat_session::view::{ChatSession, SessionQuote, TimelineEntry};
use crate::http::openapi::responses::{ParameterErrors, ReadErrors, SessionErrors};

/// One session
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}",
    operation_id = "getChatSession",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "The session.")),
    responses((status = 200, body = ChatSession, description = "The session."), ReadErrors, SessionErrors),
    security(("bearer" = ["read"])),
)]
pub async fn get(_: ReadAccess, State(state): State<ApiState>, SessionId(session): SessionId) -> ApiResult {
    Ok(shown(state.sessions.get(session).await?))
}

/// The quotes in a session's ledger
///
/// By their ids.
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}/quotes",
    operation_id = "getChatSessionQuotes",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "The session."), ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "How many at most; 50 where it is not said."), ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before.")),
    responses((status = 200, body = ListResponse<SessionQuote>, description = "A page of its quotes."), ReadErrors, SessionErrors, ParameterErrors),
    security(("bearer" = ["read"])),
)]
pub async fn quotes(
    _: ReadAccess,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    RawQuery(query): RawQuery,
) -> ApiResult {
    let mut given = QueryParams::read(query.as_deref());
    let page = given.page(cursor::read);
    given.finish()?;
    Ok(listed(state.sessions.quotes(session, &page).await?))
}

/// What happened to a session
///
/// In the order in which it became known.
#[utoipa::path(
    get,
    path = "/v1/sessions/{id}/timeline",
    operation_id = "getChatSessionTimeline",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "The session."), ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "How many at most; 50 where it is not said."), ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before.")),
    responses((status = 200, body = ListResponse<TimelineEntry>, description = "A page of its timeline."), ReadErrors, SessionErrors, ParameterErrors),
    security(("bearer" = ["read"])),
)]
pub async fn timeline(
    _: ReadAccess,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    RawQuery(query): RawQuery,
) -> ApiResult {
    let mut given = QueryParams::read(query.as_deref());
    let page = given.page(cursor::read);
    given.finish()?;
    Ok(listed(state.sessions.timeline(session, &page).await?))
}
