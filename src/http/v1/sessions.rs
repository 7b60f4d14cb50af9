//! `/v1/sessions`: making and finding sessions, and what concerns many of them.

use axum::extract::{RawQuery, State};
use hyper::StatusCode;
use hyper::header::{HeaderValue, LOCATION};

use super::auth::{ReadAccess, WriteAccess};
use super::cursor;
use super::extract::JsonBody;
use super::query::QueryParams;
use super::response::{ApiResult, ListResponse, listed, shown, with};
use super::state::ApiState;
use crate::domain::chat_session::input::NewChatSession;
use crate::domain::chat_session::page::SessionFilter;
use crate::domain::chat_session::status::SessionStatus;
use crate::domain::chat_session::view::{ArchiveResult, ChatSession, Statistics};
use crate::domain::ids::TripId;
use crate::http::openapi::responses::{BodyErrors, ParameterErrors, ReadErrors, WriteErrors};
use crate::sessions::validate;

/// Makes a conversation's session, or brings the one there is up to date
///
/// The active one, or else the paused one, which is resumed. Calls that race make one session.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    operation_id = "createOrUpdateChatSession",
    tag = "sessions",
    request_body = NewChatSession,
    responses((status = 201, body = ChatSession, description = "It was made.", headers(("Location" = String, description = "Where it is."))), (status = 200, body = ChatSession, description = "It was there, and is as it says."), WriteErrors, BodyErrors),
    security(("bearer" = ["write"])),
)]
pub async fn create_or_update(
    _: WriteAccess,
    State(state): State<ApiState>,
    JsonBody(new): JsonBody<NewChatSession>,
) -> ApiResult {
    let started = state.sessions.create_or_update(&new).await?;
    if !started.created {
        return Ok(shown(started.session));
    }
    let place = HeaderValue::try_from(format!("/v1/sessions/{}", started.session.id));
    let mut response = with(StatusCode::CREATED, started.session);
    if let Ok(place) = place {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// Finds sessions
///
/// All filters combine. The newest activity first, then by id; a session whose activity moves while pages are read moves in
/// the list as well.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    operation_id = "getChatSessions",
    tag = "sessions",
    params(("conversation_id" = Option<Uuid>, Query, description = "Of this conversation."), ("request_id" = Option<Uuid>, Query, description = "Of this trip request."), ("iso_agent_id" = Option<Uuid>, Query, description = "Of this broker."), ("trip_id" = Option<String>, Query, description = "Of this Avinode trip, by either of its ids in any spelling."), ("rfp_id" = Option<String>, Query, description = "With this Avinode RFP."), ("rfq_id" = Option<String>, Query, description = "With this Avinode RFQ."), ("status" = Option<SessionStatus>, Query, description = "With this status."), ("has_primary_quote" = Option<bool>, Query, description = "With a primary quote, or without one."), ("current_step" = Option<String>, Query, description = "At this step."), ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "How many at most; 50 where it is not said."), ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before.")),
    responses((status = 200, body = ListResponse<ChatSession>, description = "A page of sessions."), ReadErrors, ParameterErrors),
    security(("bearer" = ["read"])),
)]
pub async fn list(_: ReadAccess, State(state): State<ApiState>, RawQuery(query): RawQuery) -> ApiResult {
    let mut given = QueryParams::read(query.as_deref());
    let filter = SessionFilter {
        conversation_id: given.parsed("conversation_id", "a UUID"),
        request_id: given.parsed("request_id", "a UUID"),
        iso_agent_id: given.parsed("iso_agent_id", "a UUID"),
        trip_id: given.take("trip_id", |text| {
            TripId::parse(text).map_err(|error| format!("is no trip id: {error}"))
        }),
        rfp_id: given.checked("rfp_id", |text| validate::id("rfp_id", text)),
        rfq_id: given.checked("rfq_id", |text| validate::id("rfq_id", text)),
        status: given.take("status", |word| {
            SessionStatus::from_word(word).ok_or_else(|| "is none of active, paused, completed, archived".to_owned())
        }),
        has_primary_quote: given.parsed("has_primary_quote", "true or false"),
        current_step: given.checked("current_step", validate::step),
    };
    let page = given.page(cursor::read);
    given.finish()?;
    Ok(listed(state.sessions.list(&filter, &page).await?))
}

/// Counts active sessions by step
#[utoipa::path(
    get,
    path = "/v1/sessions/stats",
    operation_id = "getChatSessionStatistics",
    tag = "sessions",
    responses((status = 200, body = Statistics, description = "The counts."), ReadErrors),
    security(("bearer" = ["read"])),
)]
pub async fn statistics(_: ReadAccess, State(state): State<ApiState>) -> ApiResult {
    Ok(shown(state.sessions.statistics().await?))
}

/// Archives sessions that were completed more than 90 days ago
///
/// By `archive_old_chat_sessions()` of the database. It happens once a day by itself.
#[utoipa::path(
    post,
    path = "/v1/sessions/archive",
    operation_id = "archiveOldChatSessions",
    tag = "sessions",
    responses((status = 200, body = ArchiveResult, description = "What was done."), WriteErrors),
    security(("bearer" = ["write"])),
)]
pub async fn archive(_: WriteAccess, State(state): State<ApiState>) -> ApiResult {
    Ok(shown(state.sessions.archive().await?))
}
