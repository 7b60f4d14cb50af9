//! Handlers of the pages of dead letters.

use axum::extract::{RawQuery, State};
use axum::response::Response;

use super::dead_letters::{self, PATH};
use super::params::Params;
use super::{batch_forms, frame};
use crate::http::console::access::{Access, Reader};
use crate::http::console::error::ConsoleError;
use crate::http::console::state::ConsoleState;

pub async fn list(Access(visitor): Reader, State(console): State<ConsoleState>) -> Result<Response, ConsoleError> {
    let dead = console.api.admin.dead_letters().await?;
    let content = dead_letters::list(&dead, console.clock.now());
    Ok(frame::page(&visitor, PATH, "Dead letters", &content))
}

/// The group is named by its kind and reason: it has no id, and may have ended meanwhile.
pub async fn group(
    Access(visitor): Reader,
    State(console): State<ConsoleState>,
    RawQuery(query): RawQuery,
) -> Result<Response, ConsoleError> {
    let params = Params::read(&query.unwrap_or_default());
    let named = |kind: &str, reason: &str| params.get("kind") == Some(kind) && params.get("reason") == Some(reason);
    let dead = console.api.admin.dead_letters().await?;
    let group = dead.data.iter().find(|group| named(&group.kind, &group.reason));
    let group = group.ok_or(ConsoleError::NotFound)?;
    let actions = batch_forms::of_dead_letters(&visitor, group);
    let content = dead_letters::group(group, actions.as_ref(), console.clock.now());
    Ok(frame::page(&visitor, PATH, &group.reason, &content))
}
