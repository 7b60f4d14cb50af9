//! `createOrUpdateChatSession`: a conversation has one session in use.

use uuid::Uuid;

use super::error::SessionError;
use super::retry::retried;
use super::service::{SessionService, match_again, referring, shown};
use super::validate::{self, given};
use crate::domain::chat_session::input::NewChatSession;
use crate::domain::chat_session::view::ChatSession;
use crate::store::chat_sessions::lock::OpenSession;
use crate::store::chat_sessions::references::References;
use crate::store::chat_sessions::{create, lock, tx};

/// A session that was made or brought up to date.
#[derive(Debug, Clone, PartialEq)]
pub struct CreateOrUpdateResult {
    /// The session.
    pub session: ChatSession,
    /// Whether it was made.
    pub created: bool,
}

impl SessionService {
    /// Makes the session of a conversation, or brings the one there is up to date: the active one, or else the paused one,
    /// which is resumed unless `new.status` says otherwise. Of several the one with the newest activity is taken.
    ///
    /// Two calls at once make one session: both lock the conversation's row first.
    ///
    /// # Errors
    /// A field has a wrong value or refers to nothing, or the conversation's session is another broker's.
    pub async fn create_or_update(&self, new: &NewChatSession) -> Result<CreateOrUpdateResult, SessionError> {
        let new = &checked(new)?;
        retried(|| self.start(new)).await
    }

    async fn start(&self, new: &NewChatSession) -> Result<CreateOrUpdateResult, SessionError> {
        let now = self.now();
        let mut tx = tx::writing(&self.pool).await?;
        if !lock::conversation(&mut tx, new.conversation_id).await? {
            return Err(SessionError::ReferenceNotFound {
                field: "conversation_id",
            });
        }
        // Asked after the lock: a session that another call has just made is seen.
        let live = newest(lock::open_sessions(&mut tx, new.conversation_id).await?);
        let refers = References {
            request_id: new.request_id,
            iso_agent_id: Some(new.iso_agent_id),
            proposal_id: None,
        };
        referring(&mut tx, refers).await?;
        let request_before = live.as_ref().and_then(|live| live.request_id);
        let (id, created) = match live {
            Some(live) if live.iso_agent_id != new.iso_agent_id => {
                return Err(SessionError::Refused {
                    field: "iso_agent_id",
                    why: "is not the broker of the conversation's session".to_owned(),
                });
            }
            Some(live) => {
                create::update(&mut tx, live.id, new, now).await?;
                (live.id, false)
            }
            None => (create::insert(&mut tx, new, now).await?, true),
        };
        // Known quotes can be shown once there is a request to show them under; the triggers do not watch it.
        if !created && new.request_id.is_some() && new.request_id != request_before {
            match_again(&mut tx, id).await?;
        }
        let session = shown(&mut tx, id).await?;
        tx.commit().await?;
        Ok(CreateOrUpdateResult { session, created })
    }
}

/// An active session before a paused one, newer activity before older, and any order that is always the same.
fn newest(live: Vec<OpenSession>) -> Option<OpenSession> {
    live.into_iter()
        .max_by_key(|session| (session.status == "active", session.last_activity_at, session.id))
}

fn checked(new: &NewChatSession) -> Result<NewChatSession, SessionError> {
    given(new.workflow_state.as_ref(), |state| {
        validate::object("workflow_state", state)
    })?;
    given(new.metadata.as_ref(), |metadata| validate::object("metadata", metadata))?;
    let id = |field, text: &Option<String>| given(text.as_deref(), |text| validate::id(field, text));
    Ok(NewChatSession {
        current_step: given(new.current_step.as_deref(), validate::step)?,
        avinode_trip_id: given(new.avinode_trip_id.as_deref(), |text| {
            validate::trip_id("avinode_trip_id", text)
        })?,
        avinode_rfp_id: id("avinode_rfp_id", &new.avinode_rfp_id)?,
        avinode_rfq_id: id("avinode_rfq_id", &new.avinode_rfq_id)?,
        ..new.clone()
    })
}

/// The other active session of a conversation that is locked, if it has one.
pub(super) fn other_active(live: &[OpenSession], session: Uuid) -> Option<Uuid> {
    live.iter()
        .find(|other| other.status == "active" && other.id != session)
        .map(|other| other.id)
}
