//! `/v1/sessions`: making and finding sessions, and what concerns many of them.

use axum::extract::{RawQuery, State};
use hyper::StatusCode;
use hyper::header::{HeaderValue, LOCATION};

use super::answer::{Answer, listed, shown, with};
use super::auth::{MayRead, MayWrite};
use super::cursor;
use super::input::Input;
use super::query::Parameters;
use super::state::ApiState;
use crate::domain::id::TripId;
use crate::domain::tracking::find::Filter;
use crate::domain::tracking::input::NewChatSession;
use crate::domain::tracking::status::SessionStatus;
use crate::sessions::check;

/// Makes a conversation's session, or brings the one there is up to date.
pub async fn create_or_update(_: MayWrite, State(state): State<ApiState>, Input(new): Input<NewChatSession>) -> Answer {
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

/// Finds sessions.
pub async fn list(_: MayRead, State(state): State<ApiState>, RawQuery(query): RawQuery) -> Answer {
    let mut given = Parameters::read(query.as_deref());
    let filter = Filter {
        conversation_id: given.parsed("conversation_id", "a UUID"),
        request_id: given.parsed("request_id", "a UUID"),
        iso_agent_id: given.parsed("iso_agent_id", "a UUID"),
        trip_id: given.take("trip_id", |text| {
            TripId::parse(text).map_err(|error| format!("is no trip id: {error}"))
        }),
        rfp_id: given.checked("rfp_id", |text| check::id("rfp_id", text)),
        rfq_id: given.checked("rfq_id", |text| check::id("rfq_id", text)),
        status: given.take("status", |word| {
            SessionStatus::from_word(word).ok_or_else(|| "is none of active, paused, completed, archived".to_owned())
        }),
        has_primary_quote: given.parsed("has_primary_quote", "true or false"),
        current_step: given.checked("current_step", check::step),
    };
    let page = given.page(cursor::read);
    given.finish()?;
    Ok(listed(state.sessions.list(&filter, &page).await?))
}

/// Counts active sessions by step.
pub async fn statistics(_: MayRead, State(state): State<ApiState>) -> Answer {
    Ok(shown(state.sessions.statistics().await?))
}

/// Archives sessions that were completed more than 90 days ago.
pub async fn archive(_: MayWrite, State(state): State<ApiState>) -> Answer {
    Ok(shown(state.sessions.archive().await?))
}
