//! The end of a session: its proposal, its completion, its archive.

use uuid::Uuid;

use super::activity::wrong_status;
use super::error::SessionError;
use super::retry::retried;
use super::service::{SessionService, locked, referring, shown};
use crate::domain::chat_session::input::ProposalUpdate;
use crate::domain::chat_session::status::SessionStatus;
use crate::domain::chat_session::view::{ArchiveResult, ChatSession};
use crate::domain::timeline::TimelineEvent;
use crate::domain::workflow::WorkflowStep;
use crate::store::chat_sessions::references::References;
use crate::store::chat_sessions::{aggregate, timeline_and_pin, tx, update};

impl SessionService {
    /// Gives a session its proposal (`updateChatSessionWithProposal`) and the step `proposal_ready`.
    ///
    /// # Errors
    /// There is no such session, or no such proposal.
    pub async fn update_proposal(&self, session: Uuid, update: ProposalUpdate) -> Result<ChatSession, SessionError> {
        let proposal = update.proposal_id;
        retried(|| async {
            let now = self.now();
            let mut tx = tx::writing(&self.pool).await?;
            locked(&mut tx, session).await?;
            let refers = References {
                proposal_id: Some(proposal),
                ..References::default()
            };
            referring(&mut tx, refers).await?;
            update::proposal(&mut tx, session, proposal, WorkflowStep::ProposalReady.as_str(), now).await?;
            let attached = TimelineEvent::proposal_attached(proposal, now);
            timeline_and_pin::append(&mut tx, session, attached).await?;
            let session = shown(&mut tx, session).await?;
            tx.commit().await?;
            Ok(session)
        })
        .await
    }

    /// Marks a session completed (`completeChatSession`): its end is now. One that is completed already stays as it is.
    ///
    /// # Errors
    /// There is no such session, or it is archived.
    pub async fn complete(&self, session: Uuid) -> Result<ChatSession, SessionError> {
        retried(|| async {
            let now = self.now();
            let mut tx = tx::writing(&self.pool).await?;
            let before = locked(&mut tx, session).await?;
            match before.status.as_str() {
                "completed" => {}
                "archived" => return Err(wrong_status(before.status, "active, paused or completed")),
                _ => {
                    update::status(&mut tx, session, SessionStatus::Completed, Some(now), Some(now)).await?;
                    let completed = TimelineEvent::session_completed(now);
                    timeline_and_pin::append(&mut tx, session, completed).await?;
                }
            }
            let session = shown(&mut tx, session).await?;
            tx.commit().await?;
            Ok(session)
        })
        .await
    }

    /// Archives the sessions that were completed more than 90 days ago, by `archive_old_chat_sessions()`; the service does
    /// so by itself once a day.
    ///
    /// # Errors
    /// The database is busy.
    pub async fn archive(&self) -> Result<ArchiveResult, SessionError> {
        retried(|| async {
            let archived = aggregate::archive(&self.pool).await?;
            Ok(ArchiveResult { archived })
        })
        .await
    }
}
