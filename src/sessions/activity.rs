//! `updateChatSessionActivity`, and the user's going away and coming back.

use uuid::Uuid;

use super::create::other_active;
use super::error::SessionError;
use super::retry::retried;
use super::service::{SessionService, locked, shown};
use crate::domain::chat_session::input::ActivityUpdate;
use crate::domain::chat_session::status::SessionStatus;
use crate::domain::chat_session::view::ChatSession;
use crate::store::chat_sessions::{lock, tx, update};

/// Messages that one call may add.
const MOST_MESSAGES: i32 = 1_000_000;

impl SessionService {
    /// Moves a session's last activity to now, never back, and adds messages to its count. Whatever its status.
    ///
    /// # Errors
    /// There is no such session, or `messages` is not 0 to a million.
    pub async fn update_activity(&self, session: Uuid, activity: ActivityUpdate) -> Result<ChatSession, SessionError> {
        let messages = activity.messages.unwrap_or(0);
        if !(0..=MOST_MESSAGES).contains(&messages) {
            return Err(SessionError::Refused {
                field: "messages",
                why: format!("is not a whole number from 0 to {MOST_MESSAGES}"),
            });
        }
        retried(|| async {
            let mut tx = tx::writing(&self.pool).await?;
            if !update::activity(&mut tx, session, messages, self.now()).await? {
                return Err(SessionError::NoSuchSession);
            }
            let session = shown(&mut tx, session).await?;
            tx.commit().await?;
            Ok(session)
        })
        .await
    }

    /// Pauses an active session: the user is away. A paused one stays paused.
    ///
    /// # Errors
    /// There is no such session, or it is over.
    pub async fn pause(&self, session: Uuid) -> Result<ChatSession, SessionError> {
        retried(|| async {
            let mut tx = tx::writing(&self.pool).await?;
            let before = locked(&mut tx, session).await?;
            match before.status.as_str() {
                "active" => update::status(&mut tx, session, SessionStatus::Paused, None, None).await?,
                "paused" => {}
                _ => return Err(wrong_status(before.status, "active")),
            }
            let session = shown(&mut tx, session).await?;
            tx.commit().await?;
            Ok(session)
        })
        .await
    }

    /// Resumes a paused session, which is activity. An active one stays active.
    ///
    /// # Errors
    /// There is no such session, it is over, or another session of its conversation is active.
    pub async fn resume(&self, session: Uuid) -> Result<ChatSession, SessionError> {
        retried(|| async {
            let mut tx = tx::writing(&self.pool).await?;
            let conversation = lock::conversation_of(&mut tx, session).await?;
            // The conversation first, as when a session is made: else both could find the other not there yet.
            lock::conversation(&mut tx, conversation.ok_or(SessionError::NoSuchSession)?).await?;
            let live = lock::open_sessions(&mut tx, conversation.ok_or(SessionError::NoSuchSession)?).await?;
            let before = locked(&mut tx, session).await?;
            match before.status.as_str() {
                "active" => {}
                "paused" => {
                    if let Some(session) = other_active(&live, session) {
                        return Err(SessionError::ActiveSessionExists { session });
                    }
                    update::status(&mut tx, session, SessionStatus::Active, Some(self.now()), None).await?;
                }
                _ => return Err(wrong_status(before.status, "paused")),
            }
            let session = shown(&mut tx, session).await?;
            tx.commit().await?;
            Ok(session)
        })
        .await
    }
}

/// A status that the operation does not leave.
pub(super) fn wrong_status(status: String, needs: &'static str) -> SessionError {
    SessionError::WrongStatus { status, needs }
}
