//! The session service: its methods are the operations.

use crate::postgres::transaction::{Pool, Transaction};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::SessionError;
use super::retry::with_retries;
use crate::clock::Clock;
use crate::domain::actor::Actor;
use crate::domain::chat_session::view::ChatSession;
use crate::queue::coalesced;
use crate::queue::enqueue::{self, InsertOptions, NewJob};
use crate::queue::job_kind::JobKind;
use crate::queue::listener;
use crate::store::audit::{self, AuditAction};
use crate::store::chat_sessions::{given, lock, page, references, tx};
use crate::store::session_changes::SessionChanges;

/// Chat-session tracking on one database. Clones share its connections.
#[derive(Debug, Clone)]
pub struct SessionService {
    pub(super) pool: Pool,
    pub(super) clock: Clock,
    pub(super) changes: SessionChanges,
    /// The author of writes.
    pub(super) actor: Actor,
}

impl SessionService {
    pub fn new(pool: Pool, clock: Clock) -> Self {
        Self {
            pool,
            clock,
            changes: SessionChanges::default(),
            actor: Actor::program(),
        }
    }

    /// The same service for another author of writes, whom the audit log and timelines name.
    #[must_use]
    pub fn acting_as(&self, actor: Actor) -> Self {
        Self { actor, ..self.clone() }
    }

    /// Signals its changes to these.
    #[must_use]
    pub fn with_changes(self, changes: SessionChanges) -> Self {
        Self { changes, ..self }
    }

    /// Queues a webhook about a changed session, if webhooks are sent.
    pub(super) async fn queue_webhook(&self, tx: &mut Transaction<'_>, session: Uuid) -> Result<(), SessionError> {
        if self.changes.sends_webhooks {
            coalesced::insert(tx, JobKind::NotifySession, &[session.to_string()]).await?;
            listener::wake(tx).await?;
        }
        Ok(())
    }

    /// Returns the current time, in the precision of Postgres.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Appends the row of a write to the audit log.
    pub(super) async fn record(
        &self,
        tx: &mut Transaction<'_>,
        action: AuditAction,
        details: Value,
    ) -> Result<(), SessionError> {
        Ok(audit::append_change(tx, &self.actor, action, details, &json!({})).await?)
    }

    /// Changes a session in one transaction, with retries, and returns it as it is then. `change` returns the transaction to
    /// commit.
    pub(super) async fn change<F: Future<Output = Result<Transaction<'static>, SessionError>>>(
        &self,
        session: Uuid,
        action: AuditAction,
        change: impl Fn(Transaction<'static>) -> F,
    ) -> Result<ChatSession, SessionError> {
        let details = json!({"session": session});
        self.change_with(session, action, details, change).await
    }

    /// Changes a session as [`Self::change`] does. `details`: those of the row in the audit log.
    pub(super) async fn change_with<F: Future<Output = Result<Transaction<'static>, SessionError>>>(
        &self,
        session: Uuid,
        action: AuditAction,
        details: Value,
        change: impl Fn(Transaction<'static>) -> F,
    ) -> Result<ChatSession, SessionError> {
        with_retries(|| async {
            let mut tx = change(tx::writing(&self.pool).await?).await?;
            self.record(&mut tx, action, details.clone()).await?;
            self.queue_webhook(&mut tx, session).await?;
            let session = load_session(&mut tx, session).await?;
            tx.commit().await?;
            self.changes.wake();
            Ok(session)
        })
        .await
    }

    /// Reads in one transaction. A read is not retried: it takes no lock that another transaction would release within
    /// moments.
    pub(super) async fn read<T, F: Future<Output = Result<T, SessionError>>>(
        &self,
        read: impl FnOnce(Transaction<'static>) -> F,
    ) -> Result<T, SessionError> {
        let result = match tx::reading(&self.pool).await {
            Ok(tx) => read(tx).await,
            Err(error) => Err(error.into()),
        };
        result.map_err(SessionError::not_retried)
    }
}

pub(super) async fn lock_session(
    tx: &mut Transaction<'_>,
    session: Uuid,
) -> Result<lock::LockedChatSession, SessionError> {
    lock::session(tx, session).await?.ok_or(SessionError::SessionNotFound)
}

/// Returns a session as this transaction sees it.
pub(super) async fn load_session(tx: &mut Transaction<'_>, session: Uuid) -> Result<ChatSession, SessionError> {
    page::get(tx, session).await?.ok_or(SessionError::SessionNotFound)
}

pub(super) async fn check_references(
    tx: &mut Transaction<'_>,
    request_id: Option<Uuid>,
    iso_agent_id: Option<Uuid>,
    proposal_id: Option<Uuid>,
) -> Result<(), SessionError> {
    match references::first_missing(tx, request_id, iso_agent_id, proposal_id).await? {
        Some(field) => Err(SessionError::ReferenceNotFound { field }),
        None => Ok(()),
    }
}

/// Records that the API gave these ids to a locked session. The trip may be withheld from it so far.
pub(super) async fn record_given(
    tx: &mut Transaction<'_>,
    session: Uuid,
    ids: given::NewIds<'_>,
) -> Result<(), SessionError> {
    match given::record(tx, session, ids).await? {
        true => enqueue_rematch(tx, session).await,
        false => Ok(()),
    }
}

/// Enqueues a rematch of a session, and wakes a worker when this transaction commits.
pub(super) async fn enqueue_rematch(tx: &mut Transaction<'_>, session: Uuid) -> Result<(), SessionError> {
    let job = NewJob::new(JobKind::Rematch, session.to_string());
    enqueue::insert(tx, &[job], InsertOptions::default()).await?;
    listener::wake(tx).await?;
    Ok(())
}
