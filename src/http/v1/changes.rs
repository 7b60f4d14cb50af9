//! `/v1/sessions/{id}/…`: what changes one session. Each answers with the session as it then is.

use axum::extract::State;

use super::answer::{Answer, shown};
use super::auth::MayWrite;
use super::input::{Input, OptionalInput, SessionId};
use super::state::ApiState;
use crate::domain::tracking::input::{Activity, ProposalUpdate, QuoteUpdate};
use crate::domain::tracking::patch::TripPatch;

/// Something happened in the session.
pub async fn activity(
    _: MayWrite,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    OptionalInput(activity): OptionalInput<Activity>,
) -> Answer {
    Ok(shown(state.sessions.update_activity(session, activity).await?))
}

/// The user is away.
pub async fn pause(_: MayWrite, State(state): State<ApiState>, SessionId(session): SessionId) -> Answer {
    Ok(shown(state.sessions.pause(session).await?))
}

/// The user is back.
pub async fn resume(_: MayWrite, State(state): State<ApiState>, SessionId(session): SessionId) -> Answer {
    Ok(shown(state.sessions.resume(session).await?))
}

/// What is known of the trip, and the step.
pub async fn trip(
    _: MayWrite,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    Input(patch): Input<TripPatch>,
) -> Answer {
    Ok(shown(state.sessions.update_trip(session, &patch).await?))
}

/// A quote came.
pub async fn quote(
    _: MayWrite,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    Input(update): Input<QuoteUpdate>,
) -> Answer {
    Ok(shown(state.sessions.update_quote(session, &update).await?))
}

/// The primary quote is to be elected again.
pub async fn unpin(_: MayWrite, State(state): State<ApiState>, SessionId(session): SessionId) -> Answer {
    Ok(shown(state.sessions.unpin(session).await?))
}

/// A proposal was made.
pub async fn proposal(
    _: MayWrite,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    Input(update): Input<ProposalUpdate>,
) -> Answer {
    Ok(shown(state.sessions.update_proposal(session, update).await?))
}

/// The proposal was sent.
pub async fn complete(_: MayWrite, State(state): State<ApiState>, SessionId(session): SessionId) -> Answer {
    Ok(shown(state.sessions.complete(session).await?))
}
