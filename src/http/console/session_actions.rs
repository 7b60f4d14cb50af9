//! Pins and unpins a primary quote, by the same operations as `/v1`.

use axum::extract::State;
use axum::response::Redirect;
use uuid::Uuid;

use super::error::ConsoleError;
use super::form::WriteForm;
use super::state::ConsoleState;
use crate::domain::chat_session::input::QuoteUpdate;
use crate::http::v1::extract::SessionId;
use crate::http::v1::problem::ApiProblem;

/// `POST /console/sessions/{id}/pin`: records a quote as the primary one, which pins it.
pub async fn pin(
    State(console): State<ConsoleState>,
    id: Result<SessionId, ApiProblem>,
    form: WriteForm,
) -> Result<Redirect, ConsoleError> {
    let SessionId(id) = id?;
    let quote: Uuid = form.fields.parsed("quote")?;
    let update = QuoteUpdate {
        quote_id: quote,
        primary_quote_id: Some(quote),
        ..QuoteUpdate::default()
    };
    let sessions = console.api.sessions.acting_as(form.visitor.actor);
    sessions.update_quote(id, &update).await?;
    Ok(back(id, "pinned"))
}

/// `POST /console/sessions/{id}/unpin`
pub async fn unpin(
    State(console): State<ConsoleState>,
    id: Result<SessionId, ApiProblem>,
    form: WriteForm,
) -> Result<Redirect, ConsoleError> {
    let SessionId(id) = id?;
    console.api.sessions.acting_as(form.visitor.actor).unpin(id).await?;
    Ok(back(id, "unpinned"))
}

fn back(session: Uuid, done: &str) -> Redirect {
    Redirect::to(&format!("/console/sessions/{session}?done={done}"))
}
