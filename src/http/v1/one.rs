//! `/v1/sessions/{id}`: one session, its quotes and its timeline.

use axum::extract::{RawQuery, State};

use super::answer::{Answer, listed, shown};
use super::auth::MayRead;
use super::cursor;
use super::input::SessionId;
use super::query::Parameters;
use super::state::ApiState;

/// One session.
pub async fn get(_: MayRead, State(state): State<ApiState>, SessionId(session): SessionId) -> Answer {
    Ok(shown(state.sessions.get(session).await?))
}

/// The quotes in a session's ledger.
pub async fn quotes(
    _: MayRead,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    RawQuery(query): RawQuery,
) -> Answer {
    let mut given = Parameters::read(query.as_deref());
    let page = given.page(cursor::read);
    given.finish()?;
    Ok(listed(state.sessions.quotes(session, &page).await?))
}

/// What happened to a session, in the order in which it became known.
pub async fn timeline(
    _: MayRead,
    State(state): State<ApiState>,
    SessionId(session): SessionId,
    RawQuery(query): RawQuery,
) -> Answer {
    let mut given = Parameters::read(query.as_deref());
    let page = given.page(cursor::read);
    given.finish()?;
    Ok(listed(state.sessions.timeline(session, &page).await?))
}
