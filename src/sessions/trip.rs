//! `updateChatSessionWithTripInfo`, as a JSON merge patch.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::SessionError;
use super::service::{SessionService, check_references, lock_session};
use super::validate::{self, optional};
use crate::domain::chat_session::patch::{TripPatch, merge};
use crate::domain::chat_session::view::ChatSession;
use crate::store::chat_sessions::update;

impl SessionService {
    /// Updates the trip and the step of a session, which counts as activity. After a new trip id, the known quotes of
    /// that trip are counted within moments.
    ///
    /// # Errors
    /// The session does not exist, or a field is invalid or refers to a missing row.
    pub async fn update_trip(&self, session: Uuid, patch: &TripPatch) -> Result<ChatSession, SessionError> {
        let patch = &validated(patch)?;
        self.change(session, |mut tx| async move {
            let before = lock_session(&mut tx, session).await?;
            check_references(&mut tx, patch.request_id.flatten(), None, None).await?;
            let workflow_state = merged(before.workflow_state, patch.workflow_state.as_ref());
            update::trip(&mut tx, session, patch, workflow_state, self.now()).await?;
            Ok(tx)
        })
        .await
    }
}

/// Returns the new `workflow_state`, or `None` to keep it. The service's own key survives both a merge and a clear.
fn merged(before: Option<Value>, patch: Option<&Option<Map<String, Value>>>) -> Option<Value> {
    let own = before.as_ref().and_then(|state| state.get("avinode_trip")).cloned();
    let mut after = match patch? {
        Some(patch) => merge(before, patch),
        None => Value::Object(Map::new()),
    };
    if let (Some(object), Some(own)) = (after.as_object_mut(), own) {
        object.insert("avinode_trip".to_owned(), own);
    }
    Some(after)
}

fn validated(patch: &TripPatch) -> Result<TripPatch, SessionError> {
    let id = |field, text: &Option<Option<String>>| {
        optional(text.as_ref(), |text| {
            optional(text.as_deref(), |text| validate::id(field, text))
        })
    };
    for (field, count) in [
        ("quotes_expected_count", patch.quotes_expected_count),
        ("operators_contacted_count", patch.operators_contacted_count),
    ] {
        validate::count(field, count.flatten().unwrap_or(0))?;
    }
    optional(patch.workflow_state.as_ref().and_then(Option::as_ref), |state| {
        validate::object("workflow_state", state)
    })?;
    Ok(TripPatch {
        avinode_trip_id: optional(patch.avinode_trip_id.as_ref(), |text| {
            optional(text.as_deref(), |text| validate::trip_id("avinode_trip_id", text))
        })?,
        avinode_rfp_id: id("avinode_rfp_id", &patch.avinode_rfp_id)?,
        avinode_rfq_id: id("avinode_rfq_id", &patch.avinode_rfq_id)?,
        current_step: optional(patch.current_step.as_ref(), |step| {
            optional(step.as_deref(), validate::step)
        })?,
        ..patch.clone()
    })
}
