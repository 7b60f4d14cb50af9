//! `updateChatSessionActivity`, pausing and resuming.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::create::other_active;
use super::error::SessionError;
use super::service::{SessionService, lock_session};
use crate::domain::chat_session::input::ActivityUpdate;
use crate::domain::chat_session::status::SessionStatus;
use crate::domain::chat_session::view::ChatSession;
use crate::postgres::transaction::Transaction;
use crate::store::audit::AuditAction;
use crate::store::chat_sessions::lock::{self, LockedChatSession, LockedConversation};
use crate::store::chat_sessions::update;

/// Messages that one call may add.
const MAX_MESSAGES: i32 = 1_000_000;

impl SessionService {
    /// Sets a session's last activity to now, never back, and adds messages to its count. The session may have any
    /// status.
    ///
    /// # Errors
    /// The session does not exist, or `messages` is not 0 to a million.
    pub async fn update_activity(&self, session: Uuid, activity: ActivityUpdate) -> Result<ChatSession, SessionError> {
        let messages = activity.messages.unwrap_or(0);
        if !(0..=MAX_MESSAGES).contains(&messages) {
            let error = format!("is not an integer from 0 to {MAX_MESSAGES}");
            return Err(SessionError::invalid("messages", error));
        }
        self.change(session, AuditAction::RecordActivity, |mut tx| async move {
            match update::activity(&mut tx, session, messages, self.now()).await? {
                true => Ok(tx),
                false => Err(SessionError::SessionNotFound),
            }
        })
        .await
    }

    /// Pauses an active session while its user is away. A paused session stays paused.
    ///
    /// # Errors
    /// The session does not exist, or is closed.
    pub async fn pause(&self, session: Uuid) -> Result<ChatSession, SessionError> {
        self.change(session, AuditAction::PauseSession, |mut tx| async move {
            pause(&mut tx, session).await?;
            Ok(tx)
        })
        .await
    }

    /// Resumes a paused session, which counts as activity. An active session stays active.
    ///
    /// # Errors
    /// The session does not exist or is closed, or another session of its conversation is active. One that another broker opened in
    /// the broker's own conversation does not count.
    pub async fn resume(&self, session: Uuid) -> Result<ChatSession, SessionError> {
        self.change(session, AuditAction::ResumeSession, |mut tx| async move {
            resume(&mut tx, session, self.now()).await?;
            Ok(tx)
        })
        .await
    }
}

/// Pauses a session in a transaction. Returns the locked session as it was.
pub(super) async fn pause(tx: &mut Transaction<'_>, session: Uuid) -> Result<LockedChatSession, SessionError> {
    let before = lock_session(tx, session).await?;
    match before.status.parse() {
        Ok(SessionStatus::Active) => update::status(tx, session, SessionStatus::Paused, None, None).await?,
        Ok(SessionStatus::Paused) => {}
        _ => return Err(invalid_status(before.status, "active")),
    }
    Ok(before)
}

/// Resumes a session in a transaction. Returns the locked session as it was.
pub(super) async fn resume(
    tx: &mut Transaction<'_>,
    session: Uuid,
    now: DateTime<Utc>,
) -> Result<LockedChatSession, SessionError> {
    let place = lock::place_of(tx, session).await?;
    let place = place.ok_or(SessionError::SessionNotFound)?;
    // The conversation first, as when a session is created: otherwise neither transaction sees the session of the other.
    let conversation = lock::conversation(tx, place.conversation_id).await?;
    let conversation = conversation.unwrap_or(LockedConversation {
        id: place.conversation_id,
        agent: None,
    });
    let open = lock::open_sessions(tx, conversation, place.iso_agent_id).await?;
    let before = lock_session(tx, session).await?;
    match before.status.parse() {
        Ok(SessionStatus::Active) => {}
        Ok(SessionStatus::Paused) => {
            if let Some(session) = other_active(&open, session) {
                return Err(SessionError::ActiveSessionExists { session });
            }
            update::status(tx, session, SessionStatus::Active, Some(now), None).await?;
        }
        _ => return Err(invalid_status(before.status, "paused")),
    }
    Ok(before)
}

pub(super) fn invalid_status(status: String, needed: &'static str) -> SessionError {
    SessionError::InvalidStatus { status, needed }
}
