//! The end of a session: its proposal, its completion, its archive.

use serde_json::json;
use uuid::Uuid;

use super::activity::invalid_status;
use super::error::SessionError;
use super::retry::with_retries;
use super::service::{SessionService, check_references, lock_session};
use crate::domain::chat_session::input::ProposalUpdate;
use crate::domain::chat_session::status::SessionStatus;
use crate::domain::chat_session::view::{ArchiveResult, ChatSession};
use crate::domain::timeline::TimelineEvent;
use crate::domain::workflow::WorkflowStep;
use crate::store::audit::AuditAction;
use crate::store::chat_sessions::{aggregate, timeline_and_pin, tx, update};

impl SessionService {
    /// Attaches a proposal to a session (`updateChatSessionWithProposal`) and sets the step `proposal_ready`.
    ///
    /// # Errors
    /// The session or the proposal does not exist.
    pub async fn update_proposal(&self, session: Uuid, update: ProposalUpdate) -> Result<ChatSession, SessionError> {
        let proposal = update.proposal_id;
        self.change(session, AuditAction::AttachProposal, |mut tx| async move {
            let now = self.now();
            lock_session(&mut tx, session).await?;
            check_references(&mut tx, None, None, Some(proposal)).await?;
            update::proposal(&mut tx, session, proposal, WorkflowStep::ProposalReady.as_str(), now).await?;
            let event = TimelineEvent::proposal_attached(proposal, now);
            timeline_and_pin::append(&mut tx, session, event, &self.actor).await?;
            Ok(tx)
        })
        .await
    }

    /// Completes a session (`completeChatSession`) and sets its end time. A completed session stays as it is.
    ///
    /// # Errors
    /// The session does not exist, or is archived.
    pub async fn complete(&self, session: Uuid) -> Result<ChatSession, SessionError> {
        self.change(session, AuditAction::CompleteSession, |mut tx| async move {
            let now = self.now();
            let before = lock_session(&mut tx, session).await?;
            match before.status.parse() {
                Ok(SessionStatus::Completed) => Ok(tx),
                Ok(SessionStatus::Archived) => Err(invalid_status(before.status, "active, paused or completed")),
                _ => {
                    update::status(&mut tx, session, SessionStatus::Completed, Some(now), Some(now)).await?;
                    let event = TimelineEvent::session_completed(now);
                    timeline_and_pin::append(&mut tx, session, event, &self.actor).await?;
                    Ok(tx)
                }
            }
        })
        .await
    }

    /// Archives the sessions that were completed more than 90 days ago, by `archive_old_chat_sessions()`. Maintenance
    /// does the same once a day.
    ///
    /// # Errors
    /// The database is busy.
    pub async fn archive(&self) -> Result<ArchiveResult, SessionError> {
        with_retries(|| async {
            let mut tx = tx::writing_many(&self.pool).await?;
            let archived = aggregate::archive(&mut tx).await?;
            self.record(&mut tx, AuditAction::ArchiveSessions, json!({"archived": archived}))
                .await?;
            tx.commit().await?;
            Ok(ArchiveResult { archived })
        })
        .await
    }
}
