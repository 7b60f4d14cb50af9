//! `/v1/sessions/{id}/…`: what changes one session. Each answers with the session as it then is.

use axum::extract::State;

use super::auth::WriteAccess;
use super::extract::{JsonBody, OptionalJsonBody, SessionId};
use super::response::{ApiResult, shown};
use super::state::ApiState;
use crate::domain::chat_session::input::{ActivityUpdate, ProposalUpdate, QuoteUpdate};
use crate::domain::chat_session::patch::TripPatch;
use crate::domain::chat_session::view::ChatSession;
use crate::http::openapi::responses::{BodyErrors, ConflictErrors, SessionErrors, WriteErrors};

/// Something happened in the session
///
/// Moves the last activity to now, never back, and adds messages to their count. The body may be left out.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/activity",
    operation_id = "updateChatSessionActivity",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "The session.")),
    request_body = Option<ActivityUpdate>,
    responses((status = 200, body = ChatSession, description = "The session as it then is."), WriteErrors, SessionErrors, BodyErrors),
    security(("bearer" = ["write"])),
)]
pub async fn activity(
    _: WriteAccess,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    OptionalJsonBody(activity): OptionalJsonBody<ActivityUpdate>,
) -> ApiResult {
    Ok(shown(state.sessions.update_activity(session, activity).await?))
}

/// The user is away
///
/// Only an active session is paused; one that is paused stays so.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/pause",
    operation_id = "pauseChatSession",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "The session.")),
    responses((status = 200, body = ChatSession, description = "The session as it then is."), WriteErrors, SessionErrors, ConflictErrors),
    security(("bearer" = ["write"])),
)]
pub async fn pause(_: WriteAccess, State(state): State<ApiState>, SessionId(session): SessionId) -> ApiResult {
    Ok(shown(state.sessions.pause(session).await?))
}

/// The user is back
///
/// Only a paused session is resumed, and only where no other of its conversation is active; one that is active stays so.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/resume",
    operation_id = "resumeChatSession",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "The session.")),
    responses((status = 200, body = ChatSession, description = "The session as it then is."), WriteErrors, SessionErrors, ConflictErrors),
    security(("bearer" = ["write"])),
)]
pub async fn resume(_: WriteAccess, State(state): State<ApiState>, SessionId(session): SessionId) -> ApiResult {
    Ok(shown(state.sessions.resume(session).await?))
}

/// What is known of the trip, and the step
///
/// A JSON merge patch: what is absent stays, what is null is cleared. A trip id that is new to the session has it matched with
/// the quotes that are known of that trip, within moments.
#[utoipa::path(
    patch,
    path = "/v1/sessions/{id}/trip",
    operation_id = "updateChatSessionWithTripInfo",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "The session.")),
    request_body(content((TripPatch = "application/json"), (TripPatch = "application/merge-patch+json"))),
    responses((status = 200, body = ChatSession, description = "The session as it then is."), WriteErrors, SessionErrors, BodyErrors),
    security(("bearer" = ["write"])),
)]
pub async fn trip(
    _: WriteAccess,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    JsonBody(patch): JsonBody<TripPatch>,
) -> ApiResult {
    Ok(shown(state.sessions.update_trip(session, &patch).await?))
}

/// A quote came
///
/// It enters the session's ledger and counts once, whoever tells of it first: this call or Avinode's webhook.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/quotes",
    operation_id = "updateChatSessionWithQuote",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "The session.")),
    request_body = QuoteUpdate,
    responses((status = 200, body = ChatSession, description = "The session as it then is."), WriteErrors, SessionErrors, BodyErrors),
    security(("bearer" = ["write"])),
)]
pub async fn quote(
    _: WriteAccess,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    JsonBody(update): JsonBody<QuoteUpdate>,
) -> ApiResult {
    Ok(shown(state.sessions.update_quote(session, &update).await?))
}

/// The primary quote is to be elected again
///
/// Takes the pin off; the workers elect within moments. A session without a pin stays as it is.
#[utoipa::path(
    delete,
    path = "/v1/sessions/{id}/primary-quote/pin",
    operation_id = "unpinPrimaryQuote",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "The session.")),
    responses((status = 200, body = ChatSession, description = "The session as it then is."), WriteErrors, SessionErrors),
    security(("bearer" = ["write"])),
)]
pub async fn unpin(_: WriteAccess, State(state): State<ApiState>, SessionId(session): SessionId) -> ApiResult {
    Ok(shown(state.sessions.unpin(session).await?))
}

/// A proposal was made
///
/// The session's step becomes `proposal_ready`.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/proposal",
    operation_id = "updateChatSessionWithProposal",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "The session.")),
    request_body = ProposalUpdate,
    responses((status = 200, body = ChatSession, description = "The session as it then is."), WriteErrors, SessionErrors, BodyErrors),
    security(("bearer" = ["write"])),
)]
pub async fn proposal(
    _: WriteAccess,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    JsonBody(update): JsonBody<ProposalUpdate>,
) -> ApiResult {
    Ok(shown(state.sessions.update_proposal(session, update).await?))
}

/// The proposal was sent
///
/// The session is completed; one that is completed already stays as it is, with its end.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/complete",
    operation_id = "completeChatSession",
    tag = "sessions",
    params(("id" = Uuid, Path, description = "The session.")),
    responses((status = 200, body = ChatSession, description = "The session as it then is."), WriteErrors, SessionErrors, ConflictErrors),
    security(("bearer" = ["write"])),
)]
pub async fn complete(_: WriteAccess, State(state): State<ApiState>, SessionId(session): SessionId) -> ApiResult {
    Ok(shown(state.sessions.complete(session).await?))
}
