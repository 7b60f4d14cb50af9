//! `/v1/sessions/{id}/…`: the operations that change one session. Each returns the updated session.

use axum::extract::State;
use utoipa::IntoResponses;

use super::auth::WriteAccess;
use super::extract::{JsonBody, OptionalJsonBody, SessionId};
use super::problem::{BodyProblems, StatusProblems};
use super::response::{ApiResult, changed};
use super::state::ApiState;
use crate::domain::chat_session::conversation_type::ConversationTypeUpdate;
use crate::domain::chat_session::input::{ActivityUpdate, ProposalUpdate, QuoteUpdate};
use crate::domain::chat_session::patch::TripPatch;
use crate::domain::chat_session::view::ChatSession;

/// The updated session.
#[derive(IntoResponses)]
#[response(status = 200)]
#[expect(dead_code, reason = "only described; the handlers return a `Response`")]
struct UpdatedSession(ChatSession);

/// Record activity
///
/// Sets the last activity to now, never back, and adds messages to the message count. The body is optional.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/activity",
    operation_id = "updateChatSessionActivity",
    // Named rather than `Option<ActivityUpdate>`, which would be described as a body that may be `null`.
    request_body(content = ref("#/components/schemas/ActivityUpdate"), content_type = "application/json"),
    responses(UpdatedSession, BodyProblems),
)]
pub async fn record_activity(
    access: WriteAccess,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    OptionalJsonBody(activity): OptionalJsonBody<ActivityUpdate>,
) -> ApiResult {
    Ok(changed(
        state
            .sessions
            .acting_as(access.actor())
            .update_activity(session, activity)
            .await?,
    ))
}

/// Pause a session
///
/// Requires an active session; a paused session stays paused.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/pause",
    operation_id = "pauseChatSession",
    responses(UpdatedSession, StatusProblems)
)]
pub async fn pause(access: WriteAccess, State(state): State<ApiState>, SessionId(session): SessionId) -> ApiResult {
    Ok(changed(state.sessions.acting_as(access.actor()).pause(session).await?))
}

/// Resume a session
///
/// Requires a paused session, and no other active session in its conversation; an active session stays active.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/resume",
    operation_id = "resumeChatSession",
    responses(UpdatedSession, StatusProblems)
)]
pub async fn resume(access: WriteAccess, State(state): State<ApiState>, SessionId(session): SessionId) -> ApiResult {
    Ok(changed(state.sessions.acting_as(access.actor()).resume(session).await?))
}

/// Update the trip and the workflow step
///
/// A JSON merge patch: an absent field is kept, a null field is cleared. After a new trip id, the known quotes of that
/// trip are counted within moments. A status is changed as by pausing and resuming.
#[utoipa::path(
    patch,
    path = "/v1/sessions/{id}/trip",
    operation_id = "updateChatSessionWithTripInfo",
    request_body(content((TripPatch = "application/json"), (TripPatch = "application/merge-patch+json"))),
    responses(UpdatedSession, BodyProblems, StatusProblems),
)]
pub async fn update_trip(
    access: WriteAccess,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    JsonBody(patch): JsonBody<TripPatch>,
) -> ApiResult {
    Ok(changed(
        state
            .sessions
            .acting_as(access.actor())
            .update_trip(session, &patch)
            .await?,
    ))
}

/// Set the type of the conversation
///
/// An application's table that has no column `conversation_type` is answered `validation-failed`.
#[utoipa::path(
    patch,
    path = "/v1/sessions/{id}/conversation-type",
    operation_id = "updateChatSessionType",
    request_body = ConversationTypeUpdate,
    responses(UpdatedSession, BodyProblems),
)]
pub async fn update_type(
    access: WriteAccess,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    JsonBody(update): JsonBody<ConversationTypeUpdate>,
) -> ApiResult {
    Ok(changed(
        state
            .sessions
            .acting_as(access.actor())
            .update_type(session, update)
            .await?,
    ))
}

/// Record a quote
///
/// The quote enters the session's ledger and is counted once, whether this call or Avinode's webhook reports it first.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/quotes",
    operation_id = "updateChatSessionWithQuote",
    request_body = QuoteUpdate,
    responses(UpdatedSession, BodyProblems),
)]
pub async fn record_quote(
    access: WriteAccess,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    JsonBody(update): JsonBody<QuoteUpdate>,
) -> ApiResult {
    Ok(changed(
        state
            .sessions
            .acting_as(access.actor())
            .update_quote(session, &update)
            .await?,
    ))
}

/// Unpin the primary quote
///
/// The primary quote is selected by the policy again within moments. A session without a pin stays unchanged.
#[utoipa::path(
    delete,
    path = "/v1/sessions/{id}/primary-quote/pin",
    operation_id = "unpinPrimaryQuote",
    responses(UpdatedSession)
)]
pub async fn unpin(access: WriteAccess, State(state): State<ApiState>, SessionId(session): SessionId) -> ApiResult {
    Ok(changed(state.sessions.acting_as(access.actor()).unpin(session).await?))
}

/// Attach a proposal
///
/// Sets the workflow step to `proposal_ready`.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/proposal",
    operation_id = "updateChatSessionWithProposal",
    request_body = ProposalUpdate,
    responses(UpdatedSession, BodyProblems),
)]
pub async fn attach_proposal(
    access: WriteAccess,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    JsonBody(update): JsonBody<ProposalUpdate>,
) -> ApiResult {
    Ok(changed(
        state
            .sessions
            .acting_as(access.actor())
            .update_proposal(session, update)
            .await?,
    ))
}

/// Complete a session
///
/// A completed session stays as it is, with its end time.
#[utoipa::path(
    post,
    path = "/v1/sessions/{id}/complete",
    operation_id = "completeChatSession",
    responses(UpdatedSession, StatusProblems)
)]
pub async fn complete(access: WriteAccess, State(state): State<ApiState>, SessionId(session): SessionId) -> ApiResult {
    Ok(changed(
        state.sessions.acting_as(access.actor()).complete(session).await?,
    ))
}
