//! The end of a session: its proposal, its completion, its archive.

use uuid::Uuid;

use super::activity::invalid_status;
use super::error::SessionError;
use super::retry::with_retries;
use super::service::{SessionService, check_references, load_session, lock_session};
use crate::domain::chat_session::input::ProposalUpdate;
use crate::domain::chat_session::status::SessionStatus;
use crate::domain::chat_session::view::{ArchiveResult, ChatSession};
use crate::domain::timeline::TimelineEvent;
use crate::domain::workflow::WorkflowStep;
use crate::store::chat_sessions::references::References;
use crate::store::chat_sessions::{aggregate, timeline_and_pin, tx, update};

impl SessionService {
    /// Attaches a proposal to a session (`updateChatSessionWithProposal`) and sets the step `proposal_ready`.
    ///
    /// # Errors
    /// The session or the proposal does not exist.
    pub async fn update_proposal(&self, session: Uuid, update: ProposalUpdate) -> Result<ChatSession, SessionError> {
        let proposal = update.proposal_id;
        with_retries(|| async {
            let now = self.now();
            let mut tx = tx::writing(&self.pool).await?;
            lock_session(&mut tx, session).await?;
            let references = References {
                proposal_id: Some(proposal),
                ..References::default()
            };
            check_references(&mut tx, references).await?;
            update::proposal(&mut tx, session, proposal, WorkflowStep::ProposalReady.as_str(), now).await?;
            let event = TimelineEvent::proposal_attached(proposal, now);
            timeline_and_pin::append(&mut tx, session, event).await?;
            let session = load_session(&mut tx, session).await?;
            tx.commit().await?;
            Ok(session)
        })
        .await
    }

    /// Completes a session (`completeChatSession`) and sets its end time. A completed session stays as it is.
    ///
    /// # Errors
    /// The session does not exist, or is archived.
    pub async fn complete(&self, session: Uuid) -> Result<ChatSession, SessionError> {
        with_retries(|| async {
            let now = self.now();
            let mut tx = tx::writing(&self.pool).await?;
            let before = lock_session(&mut tx, session).await?;
            match before.status.parse() {
                Ok(SessionStatus::Completed) => {}
                Ok(SessionStatus::Archived) => {
                    return Err(invalid_status(before.status, "active, paused or completed"));
                }
                _ => {
                    update::status(&mut tx, session, SessionStatus::Completed, Some(now), Some(now)).await?;
                    let event = TimelineEvent::session_completed(now);
                    timeline_and_pin::append(&mut tx, session, event).await?;
                }
            }
            let session = load_session(&mut tx, session).await?;
            tx.commit().await?;
            Ok(session)
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
            let archived = aggregate::archive(&self.pool).await?;
            Ok(ArchiveResult { archived })
        })
        .await
    }
}
