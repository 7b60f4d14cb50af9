//! `updateChatSessionType`: the type of a session's conversation, a column that an application's table may lack.

use uuid::Uuid;

use super::error::SessionError;
use super::service::SessionService;
use crate::domain::chat_session::conversation_type::{ConversationType, ConversationTypeUpdate};
use crate::domain::chat_session::view::ChatSession;
use crate::postgres::sqlstate::is_undefined_column;
use crate::postgres::transaction::Transaction;
use crate::store::audit::AuditAction;
use crate::store::chat_sessions::update;

impl SessionService {
    /// Sets the type of a session's conversation. The session may have any status.
    ///
    /// # Errors
    /// The session does not exist, or the table has no column for the type.
    pub async fn update_type(&self, session: Uuid, new: ConversationTypeUpdate) -> Result<ChatSession, SessionError> {
        self.change(session, AuditAction::SetConversationType, |mut tx| async move {
            match write(&mut tx, session, new.conversation_type).await? {
                true => Ok(tx),
                false => Err(SessionError::SessionNotFound),
            }
        })
        .await
    }
}

/// Writes the type; returns false if the session does not exist.
pub(super) async fn write(
    tx: &mut Transaction<'_>,
    session: Uuid,
    conversation_type: ConversationType,
) -> Result<bool, SessionError> {
    let written = update::conversation_type(tx, session, conversation_type).await;
    written.map_err(|error| match is_undefined_column(&error) {
        true => {
            let reason = "is not a column of the application's table chat_sessions: add it there, or leave it out";
            SessionError::invalid("conversation_type", reason)
        }
        false => error.into(),
    })
}
