//! `updateChatSessionWithTripInfo`, as a JSON merge patch.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::SessionError;
use super::retry::with_retries;
use super::service::{SessionService, check_references, enqueue_rematch, load_session, lock_session};
use super::validate::{self, optional};
use crate::domain::chat_session::patch::{TripPatch, merge};
use crate::domain::chat_session::view::ChatSession;
use crate::store::chat_sessions::references::References;
use crate::store::chat_sessions::update::TripColumns;
use crate::store::chat_sessions::{tx, update};

impl SessionService {
    /// Updates the trip and the step of a session, which counts as activity. After a new trip id, the known quotes of
    /// that trip are counted within moments.
    ///
    /// # Errors
    /// The session does not exist, or a field is invalid or refers to a missing row.
    pub async fn update_trip(&self, session: Uuid, patch: &TripPatch) -> Result<ChatSession, SessionError> {
        let columns = &validated(patch)?;
        with_retries(|| self.try_update_trip(session, patch, columns)).await
    }

    async fn try_update_trip(
        &self,
        session: Uuid,
        patch: &TripPatch,
        columns: &TripColumns,
    ) -> Result<ChatSession, SessionError> {
        let mut tx = tx::writing(&self.pool).await?;
        let before = lock_session(&mut tx, session).await?;
        let references = References {
            request_id: columns.request_id.flatten(),
            ..References::default()
        };
        check_references(&mut tx, references).await?;
        let columns = TripColumns {
            workflow_state: merged(before.workflow_state, patch.workflow_state.as_ref()),
            ..columns.clone()
        };
        update::trip(&mut tx, session, &columns, self.now()).await?;
        // Known quotes can be projected once the session has a request, a column that the triggers do not watch.
        if columns.request_id.is_some_and(|request| request != before.request_id) {
            enqueue_rematch(&mut tx, session).await?;
        }
        let session = load_session(&mut tx, session).await?;
        tx.commit().await?;
        Ok(session)
    }
}

/// Returns the new `workflow_state`, or `None` to keep it. The service's own key survives both a merge and a clear.
fn merged(before: Option<Value>, patch: Option<&Option<Map<String, Value>>>) -> Option<Option<Value>> {
    let own = before.as_ref().and_then(|state| state.get("avinode_trip")).cloned();
    let mut after = match patch? {
        Some(patch) => merge(before, patch),
        None => Value::Object(Map::new()),
    };
    if let (Some(object), Some(own)) = (after.as_object_mut(), own) {
        object.insert("avinode_trip".to_owned(), own);
    }
    Some(Some(after))
}

fn validated(patch: &TripPatch) -> Result<TripColumns, SessionError> {
    let id = |field, text: &Option<Option<String>>| {
        optional(text.as_ref(), |text| {
            optional(text.as_deref(), |text| validate::id(field, text))
        })
    };
    let count = |field, count: Option<Option<i32>>| {
        optional(count.as_ref(), |count| validate::count(field, count.unwrap_or(0)))
    };
    optional(patch.workflow_state.as_ref().and_then(Option::as_ref), |state| {
        validate::object("workflow_state", state)
    })?;
    Ok(TripColumns {
        avinode_trip_id: optional(patch.avinode_trip_id.as_ref(), |text| {
            optional(text.as_deref(), |text| validate::trip_id("avinode_trip_id", text))
        })?,
        avinode_rfp_id: id("avinode_rfp_id", &patch.avinode_rfp_id)?,
        avinode_rfq_id: id("avinode_rfq_id", &patch.avinode_rfq_id)?,
        request_id: patch.request_id,
        current_step: optional(patch.current_step.as_ref(), |step| {
            optional(step.as_deref(), validate::step)
        })?,
        workflow_state: None,
        quotes_expected_count: count("quotes_expected_count", patch.quotes_expected_count)?,
        operators_contacted_count: count("operators_contacted_count", patch.operators_contacted_count)?,
    })
}
