//! `updateChatSessionWithTripInfo`, as a JSON merge patch.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::SessionError;
use super::retry::retried;
use super::service::{SessionService, locked, match_again, referring, shown};
use super::validate::{self, given};
use crate::domain::chat_session::patch::{TripPatch, merge};
use crate::domain::chat_session::view::ChatSession;
use crate::store::chat_sessions::references::References;
use crate::store::chat_sessions::update::TripColumns;
use crate::store::chat_sessions::{tx, update};

impl SessionService {
    /// Changes what a session knows of its trip, and its step. It is activity. A trip id that is new to the session has it
    /// matched with the quotes that are known of that trip, within moments.
    ///
    /// # Errors
    /// There is no such session, or a field has a wrong value or refers to nothing.
    pub async fn update_trip(&self, session: Uuid, patch: &TripPatch) -> Result<ChatSession, SessionError> {
        let columns = &checked(patch)?;
        retried(|| self.patch(session, patch, columns)).await
    }

    async fn patch(
        &self,
        session: Uuid,
        patch: &TripPatch,
        columns: &TripColumns,
    ) -> Result<ChatSession, SessionError> {
        let mut tx = tx::writing(&self.pool).await?;
        let before = locked(&mut tx, session).await?;
        let refers = References {
            request_id: columns.request_id.flatten(),
            ..References::default()
        };
        referring(&mut tx, refers).await?;
        let columns = TripColumns {
            workflow_state: merged(before.workflow_state, patch.workflow_state.as_ref()),
            ..columns.clone()
        };
        update::trip(&mut tx, session, &columns, self.now()).await?;
        // Known quotes can be shown once there is a request to show them under; the triggers do not watch it.
        if columns.request_id.is_some_and(|request| request != before.request_id) {
            match_again(&mut tx, session).await?;
        }
        let session = shown(&mut tx, session).await?;
        tx.commit().await?;
        Ok(session)
    }
}

/// What `workflow_state` becomes. Cleared or merged, the service's own key in it is not the caller's to lose.
fn merged(before: Option<Value>, patch: Option<&Option<Map<String, Value>>>) -> Option<Option<Value>> {
    let ours = before.as_ref().and_then(|state| state.get("avinode_trip")).cloned();
    let mut after = match patch? {
        Some(patch) => merge(before, patch),
        None => Value::Object(Map::new()),
    };
    if let (Some(object), Some(ours)) = (after.as_object_mut(), ours) {
        object.insert("avinode_trip".to_owned(), ours);
    }
    Some(Some(after))
}

fn checked(patch: &TripPatch) -> Result<TripColumns, SessionError> {
    let id = |field, text: &Option<Option<String>>| {
        given(text.as_ref(), |text| {
            given(text.as_deref(), |text| validate::id(field, text))
        })
    };
    let count =
        |field, count: Option<Option<i32>>| given(count.as_ref(), |count| validate::count(field, count.unwrap_or(0)));
    given(patch.workflow_state.as_ref().and_then(Option::as_ref), |state| {
        validate::object("workflow_state", state)
    })?;
    Ok(TripColumns {
        avinode_trip_id: given(patch.avinode_trip_id.as_ref(), |text| {
            given(text.as_deref(), |text| validate::trip_id("avinode_trip_id", text))
        })?,
        avinode_rfp_id: id("avinode_rfp_id", &patch.avinode_rfp_id)?,
        avinode_rfq_id: id("avinode_rfq_id", &patch.avinode_rfq_id)?,
        request_id: patch.request_id,
        current_step: given(patch.current_step.as_ref(), |step| {
            given(step.as_deref(), validate::step)
        })?,
        workflow_state: None,
        quotes_expected_count: count("quotes_expected_count", patch.quotes_expected_count)?,
        operators_contacted_count: count("operators_contacted_count", patch.operators_contacted_count)?,
    })
}
