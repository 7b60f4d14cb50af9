//! `updateChatSessionWithTripInfo`, as a JSON merge patch.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::error::SessionError;
use super::service::{SessionService, check_references, lock_session, record_given};
use super::validate::{self, optional};
use super::{activity, conversation_type};
use crate::domain::chat_session::conversation_type::ConversationType;
use crate::domain::chat_session::patch::{TripPatch, merge};
use crate::domain::chat_session::status::OpenStatus;
use crate::domain::chat_session::view::ChatSession;
use crate::store::audit::AuditAction;
use crate::store::chat_sessions::given::NewIds;
use crate::store::chat_sessions::update::{self, TripDocuments};

impl SessionService {
    /// Updates the trip, the step and the status of a session, which counts as activity. After a new trip id, the known quotes
    /// of that trip are counted within moments.
    ///
    /// # Errors
    /// The session does not exist, a field is invalid or refers to a missing row, or the session cannot get the status: it is
    /// closed, or another session of its conversation is active.
    pub async fn update_trip(&self, session: Uuid, patch: &TripPatch) -> Result<ChatSession, SessionError> {
        let patch = &validated(patch)?;
        self.change(session, AuditAction::UpdateTrip, |mut tx| async move {
            let before = match patch.status {
                Some(OpenStatus::Active) => activity::resume(&mut tx, session, self.now()).await?,
                Some(OpenStatus::Paused) => activity::pause(&mut tx, session).await?,
                None => lock_session(&mut tx, session).await?,
            };
            check_references(&mut tx, patch.request_id.flatten(), None, None).await?;
            for (field, is_readable, patch) in [
                ("workflow_state", before.has_readable_state, &patch.workflow_state),
                ("metadata", before.has_readable_metadata, &patch.metadata),
            ] {
                if !is_readable && matches!(patch, Some(Some(_))) {
                    let error = "is stored with a value that is too large to merge; set it to null first";
                    return Err(SessionError::invalid(field, error));
                }
            }
            let documents = TripDocuments {
                workflow_state: merged_state(before.workflow_state, patch.workflow_state.as_ref()),
                metadata: merged(before.metadata, patch.metadata.as_ref()),
            };
            // The merged documents: many small patches add up.
            optional(documents.workflow_state.as_ref(), |it| {
                validate::document("workflow_state", it)
            })?;
            optional(documents.metadata.as_ref(), |it| validate::document("metadata", it))?;
            update::trip(&mut tx, session, patch, documents, self.now()).await?;
            let ids = NewIds {
                trip: patch.avinode_trip_id.as_ref().map(Option::as_deref),
                rfq: patch.avinode_rfq_id.as_ref().and_then(Option::as_deref),
                rfp: patch.avinode_rfp_id.as_ref().and_then(Option::as_deref),
            };
            record_given(&mut tx, session, ids).await?;
            if let Some(new) = patch.conversation_type {
                let new = new.unwrap_or(ConversationType::General);
                conversation_type::write(&mut tx, session, new).await?;
            }
            Ok(tx)
        })
        .await
    }
}

/// Returns the new `workflow_state`, or `None` to keep it. The service's own key survives both a merge and a clear, and no caller
/// writes it.
fn merged_state(before: Option<Value>, patch: Option<&Option<Map<String, Value>>>) -> Option<Value> {
    let own = before.as_ref().and_then(|state| state.get("avinode_trip")).cloned();
    let mut after = merged(before, patch)?;
    if let Some(object) = after.as_object_mut() {
        match own {
            Some(own) => object.insert("avinode_trip".to_owned(), own),
            None => object.remove("avinode_trip"),
        };
    }
    Some(after)
}

/// Returns the new object, or `None` to keep the stored one.
fn merged(before: Option<Value>, patch: Option<&Option<Map<String, Value>>>) -> Option<Value> {
    Some(match patch? {
        Some(patch) => merge(before, patch),
        None => Value::Object(Map::new()),
    })
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
    for (field, patch) in [("workflow_state", &patch.workflow_state), ("metadata", &patch.metadata)] {
        optional(patch.as_ref().and_then(Option::as_ref), |object| {
            validate::document(field, &Value::Object(object.clone()))
        })?;
    }
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
