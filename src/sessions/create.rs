//! `createOrUpdateChatSession`: a conversation has at most one open session.

use serde_json::{Value, json};
use uuid::Uuid;

use super::conversation_type;
use super::error::SessionError;
use super::retry::with_retries;
use super::service::{SessionService, check_references, load_session, record_given};
use super::validate::{self, optional};
use crate::domain::chat_session::input::NewChatSession;
use crate::domain::chat_session::view::ChatSession;
use crate::store::audit::AuditAction;
use crate::store::chat_sessions::given::NewIds;
use crate::store::chat_sessions::lock::OpenSession;
use crate::store::chat_sessions::{create, lock, tx};

/// A session that was created or updated.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateOrUpdateResult {
    pub session: ChatSession,
    /// `false` if the session existed before.
    pub created: bool,
}

impl SessionService {
    /// Updates the open session of a conversation, or creates one. The active session is preferred to a paused one, which
    /// is resumed unless `new.status` says otherwise; of several, the one with the newest activity is updated.
    ///
    /// Concurrent calls create one session, because each locks the row of the conversation first.
    ///
    /// # Errors
    /// A field is invalid or refers to a missing row, or the conversation and its open session belong to other brokers. A session
    /// that another broker opened in the broker's own conversation stands in no way.
    pub async fn create_or_update(&self, new: &NewChatSession) -> Result<CreateOrUpdateResult, SessionError> {
        let new = &validated(new)?;
        with_retries(|| self.try_create_or_update(new)).await
    }

    async fn try_create_or_update(&self, new: &NewChatSession) -> Result<CreateOrUpdateResult, SessionError> {
        let now = self.now();
        let mut tx = tx::writing(&self.pool).await?;
        let conversation = lock::conversation(&mut tx, new.conversation_id).await?;
        let conversation = conversation.ok_or(SessionError::ReferenceNotFound {
            field: "conversation_id",
        })?;
        // Read after the lock: a session that a concurrent call has created is seen.
        let open = preferred(lock::open_sessions(&mut tx, conversation, new.iso_agent_id).await?);
        check_references(&mut tx, new.request_id, Some(new.iso_agent_id), None).await?;
        let (id, created) = match open {
            Some(open) if open.iso_agent_id != new.iso_agent_id => {
                let error = "is not the broker of the conversation's session";
                return Err(SessionError::invalid("iso_agent_id", error));
            }
            Some(open) => {
                create::update(&mut tx, open.id, new, now).await?;
                (open.id, false)
            }
            None => (create::insert(&mut tx, new, now).await?, true),
        };
        if let Some(conversation_type) = new.conversation_type {
            conversation_type::write(&mut tx, id, conversation_type).await?;
        }
        let ids = NewIds {
            trip: new.avinode_trip_id.as_deref().map(Some),
            rfq: new.avinode_rfq_id.as_deref(),
            rfp: new.avinode_rfp_id.as_deref(),
        };
        record_given(&mut tx, id, ids).await?;
        self.record(
            &mut tx,
            AuditAction::CreateOrUpdateSession,
            json!({"session": id, "created": created}),
        )
        .await?;
        self.queue_webhook(&mut tx, id).await?;
        let session = load_session(&mut tx, id).await?;
        tx.commit().await?;
        self.changes.wake();
        Ok(CreateOrUpdateResult { session, created })
    }
}

/// Prefers an active session to a paused one, then newer activity; the id makes the choice deterministic.
fn preferred(open: Vec<OpenSession>) -> Option<OpenSession> {
    open.into_iter()
        .max_by_key(|session| (session.status == "active", session.last_activity_at, session.id))
}

fn validated(new: &NewChatSession) -> Result<NewChatSession, SessionError> {
    for (field, object) in [("workflow_state", &new.workflow_state), ("metadata", &new.metadata)] {
        optional(object.as_ref(), |object| {
            validate::document(field, &Value::Object(object.clone()))
        })?;
    }
    let id = |field, text: &Option<String>| optional(text.as_deref(), |text| validate::id(field, text));
    Ok(NewChatSession {
        current_step: optional(new.current_step.as_deref(), validate::step)?,
        avinode_trip_id: optional(new.avinode_trip_id.as_deref(), |text| {
            validate::trip_id("avinode_trip_id", text)
        })?,
        avinode_rfp_id: id("avinode_rfp_id", &new.avinode_rfp_id)?,
        avinode_rfq_id: id("avinode_rfq_id", &new.avinode_rfq_id)?,
        ..new.clone()
    })
}

/// Returns another active session of a locked conversation.
pub(super) fn other_active(open: &[OpenSession], session: Uuid) -> Option<Uuid> {
    open.iter()
        .find(|other| other.status == "active" && other.id != session)
        .map(|other| other.id)
}
